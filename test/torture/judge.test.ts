/** The judge of the torture of files knows a fault when it sees one. */
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { judge, type Outcome } from './file/judge.js';
import type { Kind } from './file/kind.js';

const HERE = fileURLToPath(import.meta.url);

describe('the judge of untrusted files', () => {
  const reading = (read: Kind['read'], sound = false): Promise<Outcome> =>
    judge({ name: 'x', sound: () => [], mutations: [], read }, '/the/folder', sound);
  const raising = (message: string, place?: string): Promise<Outcome> =>
    reading(() => {
      throw new UserError(message, place === undefined ? {} : { place });
    });

  it('lets pass what is read, and what is refused with its place', async () => {
    expect(await reading(() => undefined)).to.equal('read');
    expect(await raising('is damaged', '/the/folder/a.json')).to.equal('refused');
    expect(await raising('a/task, sample 3  expected a number')).to.equal('refused');
  });

  it('finds every other outcome', async () => {
    const faults = await Promise.all([
      reading(() => {
        throw new TypeError('undefined is no function');
      }),
      raising('is damaged'),
      raising('x\n'.repeat(101), '/the/folder/a.json'),
      reading(() => {
        throw new UserError('no', { place: '/the/folder/a.json' });
      }, true),
    ]);
    const words = ['no UserError: TypeError', 'no place', 'a message of', 'sound files are refused'];
    faults.forEach((outcome, i) => {
      expect(outcome).to.have.property('fault').that.includes(words[i]!);
    });
  });

  it('finds files that are left open', async function () {
    if (process.platform !== 'linux') this.skip();
    let left = 0;
    const outcome = await reading(() => {
      left = openSync(HERE, 'r');
    });
    closeSync(left);
    expect(outcome).to.deep.equal({ fault: '1 files are left open' });
  });

  it('finds properties that all objects have got', async () => {
    const outcome = await reading(() => {
      Object.defineProperty(Object.prototype, 'polluted', { value: 1, enumerable: true, configurable: true });
    });
    Reflect.deleteProperty(Object.prototype, 'polluted');
    expect(outcome).to.deep.equal({ fault: 'every object now has polluted' });
  });
});
