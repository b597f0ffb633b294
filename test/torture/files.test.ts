/** The short form of the suite: every kind of file, broken a few times, in one process that is watched as all are. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { randomFor } from '../../src/base/random.js';
import { KINDS } from './file/kinds.js';
import { filesSuite } from './files.js';

const CASES_OF_A_KIND = 15;

describe('untrusted files', function () {
  this.timeout(240_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'spark-eval-torture-test-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('are read, or refused in words, in bounded time and memory', async () => {
    const rows = await filesSuite(CASES_OF_A_KIND * KINDS.length).run({
      seed: 1,
      random: randomFor('not drawn from'),
      folder: join(folder, 'cases'),
      kept: join(folder, 'kept'),
      over: () => false,
      log: () => undefined,
    });
    expect(rows.flatMap(({ what, faults }) => faults.map((fault) => `${what}: ${fault}`))).to.deep.equal([]);
    expect(rows.map(({ cases }) => cases)).to.deep.equal(KINDS.map(() => CASES_OF_A_KIND));
    for (const { what, figures } of rows) {
      expect(figures!['read'], `${what}, read`).to.be.greaterThan(0);
      expect(figures!['refused'], `${what}, refused`).to.be.greaterThan(0);
    }
  });
});
