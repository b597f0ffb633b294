import { expect } from 'chai';
import fc from 'fast-check';
import { encodeLayer } from '../../../src/cache/layer-cache.js';
import { fullPlan } from '../../../src/cache/plan.js';
import { observationKey } from '../../../src/cache/types.js';
import { UserError } from '../../../src/base/errors.js';
import { openKernels } from '../../../src/kernels/index.js';
import { adakv } from '../../../src/methods/wrappers/adakv.js';
import { windowAttention } from '../../../src/methods/observations.js';
import { planLayer } from '../../support/planning.js';
import { snapkv } from '../../../src/methods/token/snapkv.js';
import { smallTrace, waves } from '../support.js';

const shape = { heads: 4, kvHeads: 2, headDim: 8, length: 40 };
const base = { base: 'snapkv', with: { window: 4, kernel: 1 } };
const parse = (params: Record<string, unknown>) => adakv.params.parse({ ...base, ...params });

/** Attention of the window that gives KV head h the score `of(h, t)` at position t. */
function scoredTrace(of: (h: number, t: number) => number) {
  const trace = smallTrace(shape, [windowAttention(4)]);
  const [attention] = [...trace.observations.values()];
  attention!.forEach((_, i) => (attention![i] = of(Math.floor(i / shape.length / 2), i % shape.length)));
  return trace;
}

function keptBy(params: Record<string, unknown>, of: (h: number, t: number) => number): number[][] {
  const trace = scoredTrace(of);
  return adakv.plan(trace, parse(params), fullPlan(trace)).tokens.map((kept) => [...kept]);
}

describe('adakv', () => {
  it('gives the budget to the head with the larger scores, but each head its own share', () => {
    const headOne = (h: number, t: number) => (h === 1 ? 100 + t : t);
    const [low, high] = keptBy({ budget: 15, alpha: 0.6 }, headOne);
    expect(low).to.deep.equal([31, 32, 33, 34, 35, 36, 37, 38, 39]); // ⌊0.6·15⌋ = 9, window of 4 included
    expect(high).to.deep.equal(Array.from({ length: 21 }, (_, i) => 19 + i));
  });

  it('keeps as many tokens as the base would, in all heads together', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 39 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 1000 }),
        (budget, alpha, seed) => {
          const next = waves();
          for (let i = 0; i < seed; i++) next();
          const scores = Array.from({ length: 80 }, next);
          const kept = keptBy({ budget, alpha }, (h, t) => scores[h * 40 + t]!);
          expect(kept.flat()).to.have.length(2 * budget);
          for (const tokens of kept) {
            expect(tokens.length).to.be.at.least(Math.max(4, Math.trunc(alpha * budget)));
            expect(tokens.slice(-4)).to.deep.equal([36, 37, 38, 39]);
          }
        },
      ),
    );
  });

  it('is the base at alpha 1', () => {
    const trace = smallTrace(shape, [windowAttention(4)]);
    const own = snapkv.params.parse({ ...base.with, ratio: 0.5 });
    expect(adakv.plan(trace, parse({ ratio: 0.5, alpha: 1 }), fullPlan(trace))).to.deep.equal(
      snapkv.plan(trace, own, fullPlan(trace)),
    );
  });

  it('leaves no head empty', () => {
    const params = adakv.params.parse({ base: 'h2o', budget: 2, alpha: 0 });
    const sums = Float32Array.from({ length: 160 }, (_, i) => (i < 80 ? 0.1 : 100)); // [H, S]
    const observations = new Map(adakv.observes(params).map((one) => [observationKey(one), sums]));
    const trace = { ...smallTrace(shape, []), observations };
    const { tokens } = adakv.plan(trace, params, fullPlan(trace));
    expect(tokens.map(({ length }) => length)).to.deep.equal([1, 3]);
  });

  describe('original', () => {
    it('rounds a mixture of the adaptive and the own budget, halves to even, and keeps the window on top', () => {
      // b = 15 − 4 = 11. Head 1 has all of the 22 best: 0.5·22 + ⌊5.5⌋ = 16, head 0: 0 + 5.
      const params = { budget: 15, variant: 'original', alpha: 0.5, normalize: false };
      const kept = keptBy(params, (h, t) => (h === 1 ? 100 + t : t));
      expect(kept.map(({ length }) => length)).to.deep.equal([4 + 5, 4 + 16]);
      // b = 10: 20 best split 19 to 1 gives 9.5 + 5 = 14.5 and 0.5 + 5 = 5.5.
      const uneven = (h: number, t: number) => (h === 1 ? (t < 19 ? 100 : 0) : t === 0 ? 100 : 0);
      const halves = keptBy({ ...params, budget: 14 }, uneven);
      expect(halves.map(({ length }) => length)).to.deep.equal([4 + 6, 4 + 14]);
    });

    it('weighs a head by what its own budget would hold of its attention', () => {
      // Head 0 is flat, head 1 has a peak and is lower elsewhere: only weighing lets it win beyond the peak.
      const of = (h: number, t: number) => (h === 0 ? 0.02 : t === 5 ? 5 : 0.018);
      const params = { budget: 15, variant: 'original', alpha: 0 };
      const lengths = (normalize: boolean) =>
        keptBy({ ...params, normalize }, of).map(({ length }) => length);
      expect(lengths(false)).to.deep.equal([4 + 21, 4 + 1]);
      expect(lengths(true)).to.deep.equal([4, 4 + 22]);
    });
  });

  it('is stored with the lengths of its heads, and refines what an earlier step has left', () => {
    const trace = smallTrace(shape, [windowAttention(4)]);
    const steps = [
      { method: 'streaming_llm', params: { ratio: 0.25, sinks: 2 } },
      { method: 'adakv', params: parse({ ratio: 0.5 }) },
    ];
    const plan = planLayer(trace, steps);
    expect(plan.tokens.flatMap((tokens) => [...tokens])).to.have.length(30);
    const early = planLayer(trace, steps.slice(0, 1));
    plan.tokens.forEach((tokens, h) => {
      expect([...early.tokens[h]!]).to.include.members([...tokens]);
    });
    const cache = encodeLayer(trace, plan, 'float32', openKernels());
    expect(cache.kept).to.deep.equal(plan.tokens.map(({ length }) => length));
    cache.free();
  });

  it('asks for nothing where its base does, and fails where its base does', () => {
    const trace = smallTrace(shape, [windowAttention(4)]);
    const full = fullPlan(trace);
    for (const nothing of [{ ratio: 0 }, { budget: 40 }]) {
      expect(adakv.asksForNothing(trace, parse(nothing), full)).to.equal(true);
      expect(adakv.plan(trace, parse(nothing), full).tokens).to.deep.equal(full.tokens);
    }
    expect(() => adakv.plan(trace, parse({ ratio: 0.95 }), full)).to.throw(UserError, /fewer than the 4/);
    const broken = smallTrace(shape, [windowAttention(4)]);
    broken.observations.forEach((attention) => attention.fill(NaN));
    expect(() => adakv.plan(broken, parse({ ratio: 0.5 }), full)).to.throw(UserError, /score of token 0/);
  });

  it('passes on what the base objects to, at its place', () => {
    const problems = (params: Record<string, unknown>) =>
      adakv.params
        .safeParse(params)
        .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    expect(problems({ ...base, ratio: 0.5 })).to.equal(undefined);
    expect(problems(base)![0]).to.match(/^: expected exactly one of budget/);
    expect(problems({ ...base, budget: 3 })![0]).to.match(/^budget: expected at least 4/);
    expect(problems({ base: 'snapkv', with: { window: 0 }, ratio: 0.5 })![0]).to.match(/^with\.window: /);
    expect(problems({ base: 'snapkv', with: { budget: 9 }, ratio: 0.5 })![0]).to.match(/^with: .*budget/);
    expect(problems({ base: 'tova', with: { while_decoding: true }, ratio: 0.5 })![0]).to.match(
      /^with: expected parameters under which tova evicts at prefill only/,
    );
    expect(problems({ base: 'spark', ratio: 0.5 })![0]).to.match(/^base: /);
  });
});
