import { expect } from 'chai';
import { drawsFor, exponential, normal } from '../../src/methods/draws.js';

const COUNT = 20_000;

/** Mean, standard deviation and skewness of many numbers. */
function moments(next: () => number): { mean: number; deviation: number; skewness: number } {
  const list = Float64Array.from({ length: COUNT }, next);
  const average = (of: (x: number) => number): number => list.reduce((sum, x) => sum + of(x), 0) / COUNT;
  const mean = average((x) => x);
  const deviation = Math.sqrt(average((x) => (x - mean) ** 2));
  return { mean, deviation, skewness: average((x) => ((x - mean) / deviation) ** 3) };
}

describe('draws', () => {
  it('repeat for a key and differ between keys, their order included', () => {
    const first = (...key: number[]) => Array.from({ length: 5 }, drawsFor(...key));
    expect(first(1, 2, 3)).to.deep.equal(first(1, 2, 3));
    const keys = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [1, 2, 4], [0, 2, 3], [1, 2, 0], [2 ** 32 - 1, 2, 3]]; // prettier-ignore
    expect(new Set(keys.map((key) => first(...key)[0]))).to.have.length(keys.length);
  });

  it('of neighbouring keys are not alike: first draws of many are uniform', () => {
    let position = 0;
    const { mean, deviation } = moments(() => drawsFor(7, 0, 3, position++)());
    expect(mean).to.be.closeTo(1 / 2, 0.01);
    expect(deviation).to.be.closeTo(Math.sqrt(1 / 12), 0.01);
  });

  it('stay inside (0, 1)', () => {
    const draws = drawsFor(1);
    const list = Array.from({ length: COUNT }, draws);
    expect(Math.min(...list)).to.be.above(0);
    expect(Math.max(...list)).to.be.below(1);
  });

  it('exponential: the deviation is the mean, the skewness 2', () => {
    const draws = drawsFor(2);
    const { mean, deviation, skewness } = moments(() => exponential(draws, 3));
    expect(mean).to.be.closeTo(3, 0.1);
    expect(deviation).to.be.closeTo(3, 0.15);
    expect(skewness).to.be.closeTo(2, 0.25);
  });

  it('normal: as asked, without skew', () => {
    const draws = drawsFor(3);
    const { mean, deviation, skewness } = moments(() => normal(draws, 5, 2));
    expect(mean).to.be.closeTo(5, 0.06);
    expect(deviation).to.be.closeTo(2, 0.05);
    expect(skewness).to.be.closeTo(0, 0.06);
  });
});
