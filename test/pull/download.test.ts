import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { download } from '../../src/pull/download.js';
import { UserError } from '../../src/base/errors.js';
import { userErrorAsync, useTempFolder } from '../model/support.js';
import { startHub, type FakeHub } from './support.js';

describe('a download', () => {
  const temp = useTempFolder();
  const content = Buffer.from('abcdefghij'.repeat(1000));
  let site: FakeHub;
  beforeEach(async () => {
    site = await startHub();
    site.files['a.json'] = content;
  });
  afterEach(() => {
    site.close();
  });

  const check = (path: string): Promise<void> =>
    readFileSync(path).equals(content) ? Promise.resolve() : Promise.reject(new UserError('wrong content'));
  const fetchIt = (file = 'a.json'): Promise<void> =>
    download({ url: `${site.url}/site/${file}`, bytes: content.length, check }, temp('to/a.json'));
  const fault = async (file?: string): Promise<string> =>
    (await userErrorAsync(() => fetchIt(file))).format();

  it('puts the file where it should be, once', async () => {
    await fetchIt();
    expect(readFileSync(temp('to/a.json')).equals(content)).to.equal(true);
    await fetchIt();
    expect(site.ranges).to.deep.equal([undefined]);
    expect(existsSync(temp('to/a.json.part'))).to.equal(false);
  });

  it('goes on where it broke off', async () => {
    site.breaks['a.json'] = 4000;
    expect(await fault()).to.match(/a\.json {2}the download broke off: /);
    expect(existsSync(temp('to/a.json'))).to.equal(false);
    await fetchIt();
    expect(site.ranges).to.deep.equal([undefined, 'bytes=4000-']);
    expect(readFileSync(temp('to/a.json')).equals(content)).to.equal(true);
  });

  it('begins again where the server does not go on', async () => {
    site.breaks['a.json'] = 4000;
    await fault();
    site.ignoresRanges = true;
    await fetchIt();
    expect(readFileSync(temp('to/a.json')).equals(content)).to.equal(true);
  });

  it('throws away what is wrong, and takes no more than was announced', async () => {
    site.instead['a.json'] = Buffer.from('x'.repeat(content.length));
    expect(await fault()).to.equal('wrong content');
    site.instead['a.json'] = Buffer.from('x'.repeat(content.length + 1));
    expect(await fault()).to.match(/expected at most 10000 bytes, got more/);
    site.instead = {};
    await fetchIt();
    expect(readFileSync(temp('to/a.json')).equals(content)).to.equal(true);
  });

  it('checks a file that is there', async () => {
    await fetchIt();
    writeFileSync(temp('to/a.json'), 'y'.repeat(content.length));
    expect(await fault()).to.equal('wrong content');
    await fetchIt();
    expect(readFileSync(temp('to/a.json')).equals(content)).to.equal(true);
  });

  it('says what the server says, and that it does not answer', async () => {
    expect(await fault('b.json')).to.match(/b\.json {2}expected the file, got HTTP status 404 Not Found/);
    site.close();
    expect(await fault()).to.match(/the download broke off: .*ECONNREFUSED/);
  });
});
