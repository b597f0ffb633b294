import { expect } from 'chai';
import fc from 'fast-check';
import { EXACT_LIMIT, signFlipPValue, standardError } from '../../src/results/statistics.js';

describe('results/statistics', () => {
  it('estimates the standard error with n − 1', () => {
    expect(standardError([1, 2, 3, 4])).to.be.closeTo(Math.sqrt(5 / 3 / 4), 1e-15);
    expect(standardError([7, 7])).to.equal(0);
    expect(standardError([7])).to.equal(undefined);
  });

  describe('signFlipPValue', () => {
    it('counts assignments exactly where there are few differences', () => {
      expect(signFlipPValue([])).to.equal(1);
      expect(signFlipPValue([0, 0, 0])).to.equal(1);
      expect(signFlipPValue([1])).to.equal(1);
      expect(signFlipPValue([1, 1, 1, 1, 1])).to.equal(2 / 32);
      expect(signFlipPValue([1, 0, 3])).to.equal(0.5);
      // Sums ±6, ±4, ±2 and ±0: |sum| ≥ 4 for 4 of 8.
      expect(signFlipPValue([-1, 2, 3])).to.equal(0.5);
    });

    it('is not misled by the last bits of sums', () => {
      expect(signFlipPValue([0.1, 0.2, 0.3])).to.equal(0.25);
      expect(signFlipPValue([0.3, 0.2, 0.1])).to.equal(0.25);
    });

    it('draws beyond the limit: close to exact, and the same every time', () => {
      const differences = Array.from({ length: EXACT_LIMIT + 1 }, () => 1);
      expect(signFlipPValue(differences)).to.be.below(0.001);
      const mixed = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? -1 : 1));
      // 30 of 40 of one sign: the binomial test gives 0.00222.
      expect(signFlipPValue(mixed)).to.be.closeTo(0.0022, 0.0015);
      expect(signFlipPValue(mixed)).to.equal(signFlipPValue(mixed));
      const balanced = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? -1 : 1));
      expect(signFlipPValue(balanced)).to.equal(1);
    });

    it('is a probability, the same for both signs, and never 0', () => {
      fc.assert(
        fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { maxLength: 24 }), (d) => {
          const p = signFlipPValue(d);
          expect(p).to.be.greaterThan(0).and.at.most(1);
          expect(signFlipPValue(d.map((value) => -value))).to.equal(p);
        }),
        { numRuns: 30 },
      );
    });
  });
});
