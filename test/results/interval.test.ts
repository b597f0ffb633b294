import { expect } from 'chai';
import fc from 'fast-check';
import { scoreInterval } from '../../src/results/interval.js';

const right = (n: number, of: number): number[] => Array.from({ length: of }, (_, i) => (i < n ? 1 : 0));

describe('results/interval', () => {
  it("is Wilson's for right and wrong", () => {
    // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    const published: [number, number, number, number][] = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ];
    for (const [hits, of, low, high] of published) {
      const [from, to] = scoreInterval(right(hits, of))!;
      expect(from).to.be.closeTo(low, 5e-5);
      expect(to).to.be.closeTo(high, 5e-5);
    }
    const [low, high] = scoreInterval(right(12, 12))!;
    expect([low, high]).to.deep.equal([scoreInterval(right(12, 12))![0], 1]);
    expect(low).to.be.closeTo(0.7575, 5e-5);
  });

  it('is there for one sample, and not for none', () => {
    expect(scoreInterval([])).to.equal(undefined);
    const [low, high] = scoreInterval([1])!;
    expect(low).to.be.closeTo(0.2065, 5e-5);
    expect(high).to.equal(1);
  });

  it('holds the mean, stays within [0, 1], and is never wider than for right and wrong', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (scores) => {
        const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
        const [low, high] = scoreInterval(scores)!;
        expect(low).to.be.within(0, mean + 1e-12);
        expect(high).to.be.within(mean - 1e-12, 1);
        expect(high - low).to.be.above(0);
        // All but exactly as wide as that of a share: n · m (1 − m) / variance is at least n.
        const [widest, top] = wilson(mean, scores.length);
        expect(low).to.be.at.least(widest - 1e-9);
        expect(high).to.be.at.most(top + 1e-9);
      }),
    );
  });

  it('covers the mean of graded scores about as often as it says', () => {
    let state = 7;
    const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
    // An F1 score: often 0 or 1, else anything between; mean 0.3 · 1 + 0.5 · 0.5.
    const draw = (): number => {
      const kind = uniform();
      return kind < 0.3 ? 1 : kind < 0.5 ? 0 : uniform();
    };
    for (const n of [5, 20, 100]) {
      let covered = 0;
      for (let trial = 0; trial < 2000; trial++) {
        const [low, high] = scoreInterval(Array.from({ length: n }, draw))!;
        if (low <= 0.55 && high >= 0.55) covered++;
      }
      expect(covered / 2000, `n = ${n}`).to.be.within(0.92, 0.98);
    }
  });
});

function wilson(p: number, n: number): [number, number] {
  const z2 = 1.959963984540054 ** 2;
  const middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const reach = Math.sqrt(z2 * ((p * (1 - p)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return [middle - reach, middle + reach];
}
