/** H2O against the released code: its own cache class, fed with KV heads, and KVCache-Factory's one eviction. */
import { expect } from 'chai';
import { h2o } from '../../../src/methods/token/h2o.js';
import { expectGoldenRun, onEveryEngine, readMethodGolden, type GoldenRun } from './golden-run.js';
import { expectLiveGoldenRun, type LiveGoldenRun, type Positions } from './live-run.js';

interface Case extends LiveGoldenRun {
  readonly name: string;
  readonly granularity: 'kv_head' | 'query_head';
  readonly params: { readonly heavy: number; readonly recent: number };
}

const cases = (readMethodGolden('h2o') as { pipelines: readonly Case[] }).pipelines.filter(
  ({ granularity }) => granularity === 'kv_head',
);

interface PrefillCase extends GoldenRun {
  readonly name: string;
  readonly params: { readonly capacity: number; readonly window: number };
  readonly kept_positions: Positions;
}

const prefillCases = (
  readMethodGolden('kvcache_factory') as { pipelines: readonly PrefillCase[] }
).pipelines.filter(({ name }) => name.startsWith('h2o-prefill') && name.endsWith('heads=kv'));

onEveryEngine('golden h2o', (model) => {
  it('has cases', () => {
    expect(cases).to.have.length(3);
    expect(prefillCases).to.have.length(1);
  });

  for (const one of cases) {
    it(one.name, async () => {
      const { heavy, recent } = one.params;
      const params = h2o.params.parse({ variant: 'original', budget: heavy + recent, recent });
      await expectLiveGoldenRun(model(), { method: 'h2o', params }, one);
    });
  }

  for (const one of prefillCases) {
    it(one.name, async () => {
      const { capacity: budget, window: recent } = one.params;
      const params = h2o.params.parse({ variant: 'prefill', budget, recent });
      await expectGoldenRun(model(), [{ method: 'h2o', params }], one.kept_positions, one);
    });
  }
});
