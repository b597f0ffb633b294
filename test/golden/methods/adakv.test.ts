/** AdaKV, CriticalKV and CriticalAdaKV against the numbers of the released code: the kvpress and the original form. */
import { expect } from 'chai';
import { fullPlan } from '../../../src/cache/plan.js';
import { adakv } from '../../../src/methods/wrappers/adakv.js';
import { methods } from '../../../src/methods/built-in.js';
import type { MethodStep } from '../../../src/methods/types.js';
import { goldenTrace } from '../../methods/support.js';
import { expectGoldenRun, onEveryEngine, readMethodGolden, type GoldenRun } from './golden-run.js';

type Positions = readonly (readonly (readonly number[])[])[];

interface Case extends GoldenRun {
  readonly name: string;
  readonly params: Readonly<Record<string, number | undefined>>;
  readonly kept_positions: Positions;
}

/** Where the score of the last kept token is that of others too, any choice among them is right. */
type Ties = { readonly kept: readonly number[]; readonly dropped: readonly number[] } | null;

interface OriginalCase extends GoldenRun {
  readonly name: string;
  readonly granularity: 'kv_head' | 'query_head';
  readonly params: {
    readonly window: number;
    readonly capacity: number;
    readonly kernel: number;
    readonly floor: number;
    readonly normalize: boolean;
  };
  readonly kept_positions: Positions;
  readonly boundary_ties: readonly (readonly Ties[])[];
}

const wrapped = (readMethodGolden('adakv') as { pipelines: readonly Case[] }).pipelines;
const original = (
  readMethodGolden('kvcache_factory') as { pipelines: readonly OriginalCase[] }
).pipelines.filter(({ name, granularity }) => name.startsWith('adakv-original') && granularity === 'kv_head');

/** `critical_adakv(snapkv window=16) ratio=0.5 alpha=0.2` → the step. */
function stepOf({ name, params }: Case): MethodStep {
  const [, outer, base] = /^(\w+)\((\w+)/.exec(name)!;
  const { window, kernel, ratio, budget, alpha, first_stage } = params;
  const step = {
    base,
    with: base === 'expected_attention' ? { epsilon: params['epsilon'] } : { window, kernel },
    ratio,
    budget,
    alpha,
    ...(outer === 'adakv'
      ? {}
      : { first_stage, epsilon: params['epsilon'], adaptive: outer === 'critical_adakv' }),
  };
  const method = outer === 'adakv' ? 'adakv' : 'criticalkv';
  const written = JSON.parse(JSON.stringify(step)) as Record<string, unknown>;
  return { method, params: methods.get(method)!.params.parse(written) as Record<string, unknown> };
}

onEveryEngine('golden adakv', (model) => {
  for (const one of wrapped) {
    it(one.name, async () => {
      await expectGoldenRun(model(), [stepOf(one)], one.kept_positions, one);
    });
  }
});

describe('golden adakv, original', () => {
  it('has cases', () => {
    expect(original).to.have.length(4);
  });

  for (const { name, params, kept_positions, boundary_ties } of original) {
    it(name, () => {
      const { window, capacity, kernel, floor, normalize } = params;
      const step = adakv.params.parse({
        base: 'snapkv',
        with: { window, kernel, pool: 'maximum', group: 'mean' },
        budget: capacity,
        variant: 'original',
        alpha: floor,
        normalize,
      });
      kept_positions.forEach((heads, layer) => {
        const trace = goldenTrace(layer, adakv.observes(step));
        const { tokens } = adakv.plan(trace, step, fullPlan(trace));
        heads.forEach((expected, h) => {
          const open = boundary_ties[layer]![h];
          const tied = new Set([...(open?.kept ?? []), ...(open?.dropped ?? [])]);
          expect(tokens[h]).to.have.length(expected.length);
          const settled = (kept: Iterable<number>) => [...kept].filter((t) => !tied.has(t));
          expect(settled(tokens[h]!)).to.deep.equal(settled(expected));
        });
      });
    });
  }
});
