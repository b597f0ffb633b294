/** Methods whose score needs no query: Knorm, KeyDiff, random. */
import { expect } from 'chai';
import fc from 'fast-check';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerTrace } from '../../../src/cache/types.js';
import { keydiff } from '../../../src/methods/token/keydiff.js';
import { knorm } from '../../../src/methods/token/knorm.js';
import { random } from '../../../src/methods/token/random.js';
import type { BudgetParams, ScoringMethod } from '../../../src/methods/token/token-method.js';
import { smallTrace } from '../support.js';

/** A trace of one KV head per list of keys. */
function traceOf(heads: readonly (readonly (readonly number[])[])[]): LayerTrace {
  const length = heads[0]!.length;
  const headDim = heads[0]![0]!.length;
  const trace = smallTrace({ heads: heads.length, kvHeads: heads.length, headDim, length }, []);
  return { ...trace, keys: Float32Array.from(heads.flat(2)) };
}

function keptBy<P extends BudgetParams>(
  method: ScoringMethod<P>,
  trace: LayerTrace,
  raw: object,
): number[][] {
  return method.plan(trace, method.params.parse(raw), fullPlan(trace)).tokens.map((kept) => [...kept]);
}

describe('knorm', () => {
  it('keeps the shortest keys of each KV head, whatever their sign', () => {
    const one = [
      [3, 4],
      [0, -1],
      [-2, 0],
      [0.5, 0.5],
    ]; // 5, 1, 2, 0.7
    const two = [
      [0, 0],
      [9, 9],
      [1, 1],
      [-8, 0],
    ];
    expect(keptBy(knorm, traceOf([one, two]), { budget: 2 })).to.deep.equal([
      [1, 3],
      [0, 2],
    ]);
  });

  it('leaves the named layers whole, and says so where it is asked', () => {
    const trace = traceOf([[[1], [2], [3]]]);
    const raw = { budget: 1, whole_layers: [0] };
    expect(keptBy(knorm, trace, raw)).to.deep.equal([[0, 1, 2]]);
    expect(keptBy(knorm, { ...trace, layer: 1 }, raw)).to.deep.equal([[0]]);
    const params = knorm.params.parse(raw);
    expect(knorm.asksForNothing(trace, params, fullPlan(trace))).to.equal(true);
    expect(knorm.asksForNothing({ ...trace, layer: 1 }, params, fullPlan(trace))).to.equal(false);
  });
});

describe('keydiff', () => {
  it('keeps the keys at the largest angle to the mean direction, whatever their length', () => {
    const keys = [
      [1, 0],
      [100, 10],
      [0, 0.01],
      [1, 0.1],
      [-50, 0],
    ];
    expect(keptBy(keydiff, traceOf([keys]), { budget: 2 })).to.deep.equal([[2, 4]]);
  });

  it('the anchor is the mean of unit keys: a long key turns it no more than a short one', () => {
    // Unit keys: three along x, one along y. A mean of the raw keys would point along y, and keep those along x.
    const keys = [
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1000],
    ];
    expect(keptBy(keydiff, traceOf([keys]), { budget: 1 })).to.deep.equal([[3]]);
  });

  it('survives keys of zeros', () => {
    const zeros = Array.from({ length: 4 }, () => [0, 0]);
    expect(keptBy(keydiff, traceOf([zeros]), { budget: 2 })).to.deep.equal([[0, 1]]);
    expect(
      keptBy(
        keydiff,
        traceOf([
          [
            [1, 0],
            [0, 0],
            [2, 0],
            [3, 0],
          ],
        ]),
        { budget: 1 },
      ),
    ).to.deep.equal([[1]]);
  });
});

describe('random', () => {
  const shape = { heads: 4, kvHeads: 2, headDim: 2, length: 200 };

  it('a draw belongs to its position: a larger budget adds tokens, a longer prompt changes no score', () => {
    const trace = smallTrace(shape, []);
    const [small, large] = [20, 60].map((budget) => keptBy(random, trace, { budget })[1]!);
    expect(large).to.include.members(small!);
    const params = random.params.parse({ ratio: 0.5 });
    const long = random.scorer.score({ ...trace, length: 300 }, params);
    expect([...random.scorer.score(trace, params).subarray(200)]).to.deep.equal([...long.subarray(300, 500)]);
  });

  it('favours no place', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const kept = keptBy(random, smallTrace(shape, []), { ratio: 0.5, seed }).flat();
        // 200 tokens: the standard deviation of the mean position is below 3.
        expect(kept.reduce((a, b) => a + b, 0) / kept.length).to.be.closeTo(99.5, 20);
      }),
      { numRuns: 20 },
    );
  });
});
