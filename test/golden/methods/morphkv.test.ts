/** MorphKV against a brute force of its equations, in both selections, fusions and timings. */
import { expect } from 'chai';
import { morphkv } from '../../../src/methods/token/morphkv.js';
import { onEveryEngine, readMethodGolden } from './golden-run.js';
import { expectLiveGoldenRun, type LiveGoldenRun } from './live-run.js';

interface Case extends LiveGoldenRun {
  readonly name: string;
  readonly params: {
    readonly capacity: number;
    readonly window: number;
    readonly fusion: string;
    readonly select: string;
    readonly evict_at: string;
  };
}

const cases = (readMethodGolden('morphkv') as { equations: readonly Case[] }).equations;

onEveryEngine('golden morphkv', (model) => {
  it('has cases', () => {
    expect(cases).to.have.length(16);
  });

  for (const one of cases) {
    it(one.name, async () => {
      const { capacity: budget, window, fusion, select, evict_at } = one.params;
      const params = morphkv.params.parse({ budget, window, fusion, select, evict_at });
      await expectLiveGoldenRun(model(), { method: 'morphkv', params }, one);
    });
  }
});
