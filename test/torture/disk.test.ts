/** The short form of the suite `disk`: what needs no mount. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { randomFor } from '../../src/base/random.js';
import { makeBench, type Bench, type DiskCase } from './disk/case.js';
import { mayNotGrow, movedAway, notPermitted, secondRun } from './disk/folders.js';
import { damageJournal } from './disk/journals.js';

describe('a result folder in trouble', function () {
  this.timeout(240_000);
  let folder: string;
  let bench: Bench;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'spark-eval-disk-'));
    bench = makeBench(join(folder, 'bench'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const cases: Readonly<Record<string, DiskCase>> = {
    'files that may not grow': mayNotGrow([8]),
    'a folder without permission': notPermitted,
    'a folder that is moved away': movedAway,
    'a second run': secondRun,
  };
  for (const [what, hardship] of Object.entries(cases)) {
    it(`${what}: one clear error, nothing lost, and the same command finishes`, async function () {
      const faults = await hardship(bench);
      if (typeof faults === 'string') this.skip();
      expect(faults).to.deep.equal([]);
    });
  }

  for (const kind of [
    'a torn end',
    'a torn line in the middle',
    'a line of another version',
    'all lines twice',
  ]) {
    it(`${kind}: mended, or refused with its number and what helps`, () => {
      expect(damageJournal(bench, kind, randomFor('disk', kind))).to.deep.equal([]);
    });
  }
});
