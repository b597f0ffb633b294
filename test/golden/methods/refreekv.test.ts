/** DBudgetKV (ReFreeKV) against the numbers of its released code and of its equations. */
import { expect } from 'chai';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerTrace } from '../../../src/cache/types.js';
import { dbudgetkv } from '../../../src/methods/token/dbudgetkv.js';
import { goldenTrace } from '../../methods/support.js';
import { expectGoldenRun, onEveryEngine, readMethodGolden, type GoldenRun } from './golden-run.js';

interface Case extends GoldenRun {
  readonly name: string;
  readonly params: {
    readonly threshold: number;
    readonly method?: 'streamingllm' | 'h2o';
    readonly rows?: number;
    readonly window?: number;
    readonly save_layer: readonly number[];
    readonly sinks_in_norm?: boolean;
    readonly aggregate?: 'heads_mean_norm' | 'heads_mean_attn';
    readonly attn_p?: number;
  };
  /** The same for all heads. */
  readonly kept_tokens_per_layer: readonly number[];
  /** Of query heads; order h2o only. */
  readonly kept_positions?: readonly (readonly (readonly number[])[])[];
}

const golden = readMethodGolden('refreekv') as {
  readonly released: readonly Case[];
  readonly equations: readonly Case[];
};
const cases = [...golden.released, ...golden.equations];
/** With several rows the released code has no causal mask; the equations have, and so has ours. */
const byPosition = cases.filter(({ params }) => params.method !== 'h2o' && (params.attn_p ?? -1) < 0);
const byAttention = cases.filter(({ params }) => params.method === 'h2o');

function paramsOf({ params }: Case) {
  return dbudgetkv.params.parse({
    threshold: params.threshold,
    order: params.method === 'h2o' ? 'h2o' : 'position',
    rows: params.rows ?? 1,
    window: params.window ?? 8,
    norm: params.sinks_in_norm === true ? 'all' : 'rest',
    heads: params.aggregate === 'heads_mean_attn' ? 'attention' : 'norm',
    whole_layers: params.save_layer,
  });
}

/** 4 sinks and the newest tokens, n together. */
function sinksAndNewest(n: number): number[] {
  return Array.from({ length: n }, (_, i) => (i < 4 ? i : 200 - n + i));
}

/** The same layer with a KV head for each query head, as most released codes store it. */
function repeated(trace: LayerTrace): LayerTrace {
  const { heads, kvHeads, length, headDim } = trace;
  const repeat = (side: Float32Array): Float32Array => {
    const size = length * headDim;
    const wide = new Float32Array(heads * size);
    for (let head = 0; head < heads; head++) {
      const kv = Math.floor(head / (heads / kvHeads));
      wide.set(side.subarray(kv * size, (kv + 1) * size), head * size);
    }
    return wide;
  };
  return { ...trace, kvHeads: heads, keys: repeat(trace.keys), values: repeat(trace.values) };
}

describe('golden refreekv', () => {
  it('has cases of both orders', () => {
    expect([byPosition.length, byAttention.length]).to.deep.equal([11, 2]);
  });

  for (const one of byAttention) {
    it(`${one.name}: a KV head for each query head keeps what the released code keeps`, () => {
      const params = paramsOf(one);
      one.kept_positions!.forEach((positions, layer) => {
        const trace = repeated(goldenTrace(layer, dbudgetkv.observes(params)));
        const plan = dbudgetkv.plan(trace, params, fullPlan(trace));
        expect(plan.tokens.map((kept) => [...kept])).to.deep.equal(positions);
      });
    });
  }
});

onEveryEngine('golden refreekv', (model) => {
  for (const one of byPosition) {
    it(one.name, async () => {
      const { kvHeads } = model().config;
      const positions = one.kept_tokens_per_layer.map((n) =>
        Array.from({ length: kvHeads }, () => sinksAndNewest(n)),
      );
      await expectGoldenRun(model(), [{ method: 'dbudgetkv', params: paramsOf(one) }], positions, one);
    });
  }
});
