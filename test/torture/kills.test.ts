/** The short form of the suite `kills`: a few kills of each command, at moments that a seed decides. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { randomFor } from '../../src/base/random.js';
import { pull, pullForce, setup } from './kill/caches.js';
import { inapplicable, merge, run } from './kill/results.js';
import { measureLife, runRound } from './kill/round.js';
import type { VictimMaker } from './kill/victim.js';

describe('killed and run again', function () {
  this.timeout(240_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'spark-eval-kills-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const cases: Readonly<Record<string, readonly [VictimMaker, number]>> = {
    run: [run, 5],
    'run, not all applicable': [inapplicable, 5],
    merge: [merge, 3],
    pull: [pull, 3],
    'pull --force': [pullForce, 3],
    setup: [setup, 3],
  };
  for (const [name, [make, kills]] of Object.entries(cases)) {
    it(`${name} loses nothing, counts nothing twice and leaves what an undisturbed one leaves`, async function () {
      const victim = await make(join(folder, name.replaceAll(/\W+/g, '-')));
      if (typeof victim === 'string') this.skip();
      try {
        const life = await measureLife(victim);
        const { faults, lost, double } = await runRound(victim, kills, randomFor('kills', name), life);
        expect({ faults, lost, double }).to.deep.equal({ faults: [], lost: 0, double: 0 });
      } finally {
        await victim.close();
      }
    });
  }
});
