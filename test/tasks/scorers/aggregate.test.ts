import { expect } from 'chai';
import {
  lengthBins,
  longbenchTaskScore,
  rulerTaskScore,
  taskAverage,
} from '../../../src/tasks/scorers/aggregate.js';

const rows = (right: number, n: number) => Array.from({ length: n }, (_, i) => (i < right ? 1 : 0));

describe('task scores', () => {
  it('send exact halves to the even hundredth', () => {
    expect(longbenchTaskScore(rows(1, 32))).to.equal(3.12);
    expect(longbenchTaskScore(rows(3, 32))).to.equal(9.38);
    expect(rulerTaskScore(rows(1, 32))).to.equal(3.12);
  });

  it('keep the order of arithmetic of their benchmark', () => {
    // 100 · 23 / 160 is exactly 14.375; 23 / 160 · 100 is a little less.
    expect(longbenchTaskScore(rows(23, 160))).to.equal(14.38);
    expect(rulerTaskScore(rows(23, 160))).to.equal(14.37);
    expect(longbenchTaskScore(rows(49, 160))).to.equal(30.62);
    expect(rulerTaskScore(rows(49, 160))).to.equal(30.63);
  });

  it('are undefined without a sample', () => {
    expect(longbenchTaskScore([])).to.equal(undefined);
    expect(rulerTaskScore([])).to.equal(undefined);
  });

  it('fall into LongBench-E bins by length', () => {
    expect(lengthBins([1, 0.5, 0, 0.25], [3999, 4000, 7999, 8000])).to.deep.equal({
      '0-4k': 100,
      '4-8k': 25,
      '8k+': 25,
    });
    expect(lengthBins([1], [8000])).to.deep.equal({ '0-4k': undefined, '4-8k': undefined, '8k+': 100 });
    expect(() => lengthBins([1], [])).to.throw(RangeError, 'found 0');
  });

  it('bins of any size have the mean of their scores', () => {
    for (const n of [1, 7, 8, 9, 128, 129, 1000]) {
      const scores = Array.from({ length: n }, (_, i) => (i % 4) / 4);
      const mean = scores.reduce((total, score) => total + score, 0) / n;
      expect(
        lengthBins(
          scores,
          scores.map(() => 1),
        )['0-4k'],
        String(n),
      ).to.be.closeTo(100 * mean, 0.0051);
    }
  });
});

describe('average over tasks', () => {
  it('leaves out a task without a score, counts a score of 0, and rounds again', () => {
    expect(taskAverage([10.01, undefined, 0])).to.equal(5);
    expect(taskAverage([10, 0, 0])).to.equal(3.33);
    expect(taskAverage([undefined])).to.equal(undefined);
    expect(taskAverage([])).to.equal(undefined);
  });
});
