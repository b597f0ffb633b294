/** Parameters that the others leave without effect: really without, and refused where a spec writes them. */
import { expect } from 'chai';
import { fullPlan } from '../../src/cache/plan.js';
import type { LayerPlan } from '../../src/cache/types.js';
import { methods } from '../../src/methods/built-in.js';
import { randomFrom } from '../cache/support.js';
import { anyTrace } from '../methods/any-trace.js';
import type { Params } from '../methods/every-method.js';
import { atOnce } from '../support/planning.js';

interface Case {
  readonly method: string;
  /** Under these the other ones have no effect. */
  readonly under: Params;
  readonly unused: Params;
  /** Under these they have one. */
  readonly partner: Params;
  readonly needs: string;
}

const cases: readonly Case[] = [
  {
    method: 'spark',
    under: { ratio: 0.5 },
    unused: { threshold: 0.9 },
    partner: { adaptive: 'p', ratio: undefined },
    needs: 'adaptive: p, g4 or g5',
  },
  {
    method: 'spark',
    under: { adaptive: 'g4' },
    unused: { rounding: 'floor' },
    partner: { adaptive: 'none', ratio: 0.5 },
    needs: 'ratio',
  },
  {
    method: 'spark',
    under: { ratio: 0.5 },
    unused: { clip: 'threshold' },
    partner: { recovery: 'normal' },
    needs: 'recovery: exponential or normal',
  },
  {
    method: 'spark',
    under: { ratio: 0.5, recovery: 'none' },
    unused: { seed: 1 },
    partner: { recovery: 'exponential' },
    needs: 'recovery: exponential or normal',
  },
  {
    method: 'think',
    under: { ratio: 0.5, variant: 'kvpress' },
    unused: { recent: 5 },
    partner: { variant: 'official' },
    needs: 'variant: official',
  },
  {
    method: 'h2o',
    under: { ratio: 0.5 },
    unused: { recent: 10 },
    partner: { variant: 'window' },
    needs: 'variant: original, prefill or window',
  },
  {
    method: 'dbudgetkv',
    under: { order: 'h2o', whole_layers: [] },
    unused: { sinks: 2 },
    partner: { order: 'position' },
    needs: 'order: position',
  },
  {
    method: 'dbudgetkv',
    under: { whole_layers: [] },
    unused: { window: 4 },
    partner: { order: 'h2o' },
    needs: 'order: h2o',
  },
  {
    method: 'kivi',
    under: { key_bits: 2, value_bits: 4 },
    unused: { bits: 8 },
    partner: { value_bits: undefined },
    needs: 'key_bits or value_bits left out',
  },
  {
    method: 'adakv',
    under: { base: 'knorm', ratio: 0.5 },
    unused: { normalize: false },
    partner: { variant: 'original' },
    needs: 'variant: original',
  },
  {
    method: 'criticalkv',
    under: { base: 'knorm', ratio: 0.5 },
    unused: { alpha: 0.9 },
    partner: { adaptive: true },
    needs: 'adaptive: true',
  },
  {
    method: 'expected_attention',
    under: { ratio: 0.5, value_norm: false },
    unused: { epsilon: 0.1 },
    partner: { value_norm: true },
    needs: 'value_norm: true',
  },
  {
    method: 'pyramidkv',
    under: { ratio: 0.5, window: 4 },
    unused: { variant: 'corrected' },
    partner: { budget: 20, ratio: undefined },
    needs: 'a budget',
  },
];

describe('parameters without effect', () => {
  for (const { method: name, under, unused, partner, needs } of cases) {
    const method = methods.get(name)!;
    const planUnder = (params: object): LayerPlan => {
      const shape = { heads: 4, kvHeads: 2, headDim: 16, length: 40 };
      const trace = anyTrace(shape, { observations: method.observes(params), lowRank: false }, randomFrom(1));
      return atOnce(method.plan(trace, params, fullPlan(trace)));
    };

    it(`${name} ${JSON.stringify(under)}: ${JSON.stringify(unused)}`, () => {
      const filled = method.params.parse(under) as object;
      expect(planUnder({ ...filled, ...unused })).to.deep.equal(planUnder(filled));
      const { error } = method.params.safeParse({ ...under, ...unused });
      expect(error?.issues).to.have.length(1);
      expect(error!.issues[0]).to.deep.include({
        path: Object.keys(unused),
        message: `expected only with ${needs} (without, it changes nothing)`,
      });
      expect(method.params.safeParse({ ...under, ...unused, ...partner }).success).to.equal(true);
    });
  }

  it('may be written as they are by default', () => {
    for (const { method, under, unused } of cases) {
      const { params } = methods.get(method)!;
      const filled = params.parse(under) as Params;
      const names = Object.keys(unused);
      const same = Object.fromEntries(
        names.filter((name) => filled[name] !== undefined).map((name) => [name, filled[name]]),
      );
      expect(params.parse({ ...under, ...same })).to.deep.equal(filled);
    }
  });

  it('are refused in the parameters of a base as well', () => {
    const { error } = methods
      .get('adakv')!
      .params.safeParse({ base: 'h2o', with: { recent: 5 }, ratio: 0.5 });
    expect(error?.issues.map(({ path }) => path)).to.deep.equal([['with', 'recent']]);
  });

  it('of recalkv need heads that share a latent', () => {
    const { params } = methods.get('recalkv')!;
    for (const unused of [{ grouping: 'strict' }, { whitening: 'cholesky' }]) {
      expect(params.safeParse({ ratio: 0.5, group: 1, ...unused }).success).to.equal(false);
      expect(params.safeParse({ ratio: 0.5, group: 2, ...unused }).success).to.equal(true);
    }
  });
});
