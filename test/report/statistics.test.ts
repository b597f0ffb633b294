import { expect } from 'chai';
import fc from 'fast-check';
import { pairedBootstrap } from '../../src/report/statistics/bootstrap.js';
import { equivalencePValue } from '../../src/report/statistics/equivalence.js';
import { holm } from '../../src/report/statistics/holm.js';
import { losses } from '../../src/report/statistics/losses.js';
import { upperTail } from '../../src/report/statistics/normal.js';
import {
  effectSize,
  equalTasks,
  interval95,
  stratifiedError,
  stratifiedMean,
  type Stratum,
} from '../../src/report/statistics/strata.js';

const one = (values: readonly number[]): Stratum[] => [{ weight: 1, values }];
const repeat = (value: number, times: number): number[] => Array.from({ length: times }, () => value);

describe('report/statistics', () => {
  describe('strata', () => {
    it('weighs tasks equally, whatever their number of samples and cells', () => {
      const strata = equalTasks([[[0, 100]], [[50, 50, 50, 50], [100]]]);
      expect(strata.map(({ weight }) => weight)).to.deep.equal([0.5, 0.25, 0.25]);
      // (50 + (50 + 100) / 2) / 2
      expect(stratifiedMean(strata)).to.equal(62.5);
    });

    it('has the closed form of the standard error', () => {
      // sd of 1…4 is √(5/3); halves of two such tasks: √(2·(½·√(5/3)/2)²)
      const strata = equalTasks([[[1, 2, 3, 4]], [[5, 6, 7, 8]]]);
      expect(stratifiedError(strata)).to.be.closeTo(Math.sqrt((2 * 5) / 3 / 4 / 4), 1e-15);
      expect(stratifiedError(equalTasks([[[1, 2]], [[1]]]))).to.equal(undefined);
    });

    it("has Wilson's interval of right and wrong, and stays within the scale", () => {
      const [low, high] = interval95(one(repeat(100, 12)));
      expect(low).to.be.closeTo(75.75, 5e-3);
      expect(high).to.equal(100);
      // Two tasks of twelve: their distances add up as independent errors do.
      const [both] = interval95(equalTasks([[repeat(100, 12)], [repeat(100, 12)]]));
      expect(both).to.be.closeTo(100 - Math.sqrt(2) * ((100 - low) / 2), 1e-9);
      const scores = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 12 });
      fc.assert(
        fc.property(fc.array(fc.array(scores, { minLength: 1 }), { minLength: 1 }), (tasks) => {
          const strata = equalTasks(tasks);
          const [from, to] = interval95(strata);
          const mean = stratifiedMean(strata);
          expect(from).to.be.within(0, mean);
          expect(to).to.be.within(mean, 100);
          expect(to - from).to.be.above(0);
        }),
      );
    });

    it('measures an effect by the deviation of the differences', () => {
      // mean −1, sd √2
      expect(effectSize(one([-2, 0]))).to.be.closeTo(-1 / Math.SQRT2, 1e-15);
      expect(effectSize(one([0, 0]))).to.equal(0);
      expect(effectSize(one([1, 1]))).to.equal(undefined);
      expect(effectSize(one([1]))).to.equal(undefined);
    });
  });

  describe('pairedBootstrap', () => {
    it('agrees with the exact distribution of a case that can be counted', () => {
      // Two differences, −1 and 1: resampled means are −1, 0, 0, 1.
      const { mean, low, high, pValue } = pairedBootstrap(one([-1, 1]));
      expect({ mean, low, high, pValue }).to.deep.equal({ mean: 0, low: -1, high: 1, pValue: 1 });
      // One of five lost: k ~ B(5, 1/5) losses; |k/5 − 1/5| ≥ 1/5 unless k = 1: 1 − 0.4096.
      expect(pairedBootstrap(one([-1, 0, 0, 0, 0])).pValue).to.be.closeTo(0.5904, 0.02);
    });

    it('approaches the normal interval where there are many samples', () => {
      const values = Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? -1 : 0));
      const { low, high } = pairedBootstrap(one(values));
      const reach = 1.959963984540054 * stratifiedError(one(values))!;
      expect(low).to.be.closeTo(-0.25 - reach, 0.004);
      expect(high).to.be.closeTo(-0.25 + reach, 0.004);
    });

    it('resamples within tasks: what differs only between them does not vary', () => {
      const { mean, low, high, pValue } = pairedBootstrap(equalTasks([[[-10, -10]], [[0, 0]]]));
      expect({ mean, low, high }).to.deep.equal({ mean: -5, low: -5, high: -5 });
      expect(pValue).to.equal(1 / 10_001);
    });

    it('is the same for the same seed, and mirrors its input', () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 2, maxLength: 30 }), (values) => {
          const options = { draws: 200, seed: 3 };
          const result = pairedBootstrap(one(values), options);
          expect(pairedBootstrap(one(values), options)).to.deep.equal(result);
          expect(result.pValue).to.be.greaterThan(0).and.at.most(1);
          const mirrored = pairedBootstrap(one(values.map((value) => -value)), options);
          expect(mirrored.pValue).to.equal(result.pValue);
          expect(mirrored.low).to.be.closeTo(-result.high, 1e-12);
        }),
        { numRuns: 30 },
      );
      const many = Array.from({ length: 50 }, (_, i) => Math.sin(i));
      expect(pairedBootstrap(one(many), { seed: 1 }).low).to.not.equal(
        pairedBootstrap(one(many), { seed: 2 }).low,
      );
    });
  });

  it('knows the normal distribution', () => {
    for (const [z, tail] of [
      [0, 0.5],
      [1, 0.15865525393145707],
      [1.6448536269514722, 0.05],
      [1.959963984540054, 0.025],
      [5, 2.866515718791946e-7],
      [-2, 0.9772498680518208],
    ] as const) {
      expect(upperTail(z) / tail, String(z)).to.be.closeTo(1, 2e-7);
    }
  });

  describe('equivalence', () => {
    it('has the closed form of two one-sided tests with added samples', () => {
      // 98 equal pairs: n' = 100, mean square 100²/100, error √(100/100) = 1; margin 2 is 2 errors away.
      expect(equivalencePValue(one(repeat(0, 98)), 2, 100)).to.be.closeTo(upperTail(2), 1e-15);
      // The side that is nearer decides.
      const shifted = one(repeat(-1, 98));
      expect(equivalencePValue(shifted, 2, 100)).to.be.greaterThan(
        equivalencePValue(one(repeat(0, 98)), 2, 100),
      );
      expect(equivalencePValue(one(repeat(-3, 98)), 2, 100)).to.be.greaterThan(0.5);
    });

    it('is not shown by a few samples without a difference', () => {
      expect(equivalencePValue(one(repeat(0, 10)), 1, 100)).to.be.greaterThan(0.4);
      expect(equivalencePValue(one(repeat(0, 400)), 1, 100)).to.be.below(0.001);
    });
  });

  it('corrects by Holm', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).to.deep.equal([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.5, 0.9])).to.deep.equal([1, 1]);
    expect(holm([])).to.deep.equal([]);
  });

  describe('losses', () => {
    const lost = [...repeat(-100, 15), ...repeat(0, 15)];
    const verdicts = (...lists: (readonly number[])[]): string[] =>
      losses(lists.map(one)).map(({ verdict }) => verdict);

    it('says what the tests say', () => {
      expect(verdicts(lost)).to.deep.equal(['loss']);
      expect(verdicts(lost.map((value) => -value))).to.deep.equal(['gain']);
      expect(verdicts(repeat(0, 30))).to.deep.equal(['undecided']);
      expect(verdicts(repeat(0, 1000))).to.deep.equal(['equivalent']);
      expect(verdicts(repeat(-0.1, 1000))).to.deep.equal(['small loss']);
      expect(verdicts(repeat(-100, 9))).to.deep.equal(['too few samples']);
    });

    it('has an interval with a width where all pairs are the same', () => {
      const [none] = losses([one(repeat(0, 12))]);
      // The standard error of the equivalence test: two more samples, of which the squares sum to 100².
      expect(none!.high).to.be.closeTo((1.959963984540054 * 100) / 14, 1e-9);
      expect(none!.low).to.equal(-none!.high);
      const [all] = losses([one(repeat(-100, 12))]);
      expect(all!.low).to.equal(-100);
      expect(all!.high).to.be.within(-90, -50);
    });

    it('shows no difference that the exact test of few differing pairs does not show', () => {
      // Five of thirty lost: the bootstrap alone says p = 0.02; five of five signs are alike with p = 2/32.
      const strata = one([...repeat(-100, 5), ...repeat(0, 25)]);
      expect(pairedBootstrap(strata).pValue).to.be.below(0.03);
      const [loss] = losses([strata]);
      expect([loss!.pValue, loss!.verdict]).to.deep.equal([2 / 32, 'undecided']);
      // Tasks weigh the same: one lost sample of two outweighs three gained ones of thirty.
      const [weighed] = losses([
        equalTasks([[[-100, ...repeat(0, 1)]], [[...repeat(100, 3), ...repeat(0, 27)]]]),
      ]);
      // −25 and three times 5/3: whatever the signs, the sum is at least 20 away from 0.
      expect(weighed!.pValue).to.equal(1);
    });

    it('corrects over the comparisons that are tested, and over no others', () => {
      // Two losses of ten: p near 0.1 alone.
      const [alone] = losses([one([...repeat(-100, 4), ...repeat(0, 16)])]);
      const many = losses([
        one([...repeat(-100, 4), ...repeat(0, 16)]),
        one(repeat(0, 20)),
        one(repeat(0, 20)),
        one(repeat(-100, 2)),
      ]);
      expect(many[0]!.pValue).to.be.closeTo(3 * alone!.pValue!, 1e-12);
      expect(many[3]!.pValue).to.equal(undefined);
    });
  });
});
