import { expect } from 'chai';
import fc from 'fast-check';
import {
  concordance,
  firstLetter,
  percentageSimilarity,
  rougeMean,
} from '../../../src/tasks/zeroscrolls/score.js';
import { faultOf } from '../loader-support.js';

describe('scores of ZeroSCROLLS', () => {
  describe('rougeMean', () => {
    it('is the geometric mean of the three F', () => {
      // Unigrams 3 of 4 and 3, bigrams 1 of 3 and 2, longest common subsequence 3.
      const mean = Math.cbrt((6 / 7) * (2 / 5) * (6 / 7));
      expect(rougeMean('The bell, then: rang', 'the bell rang')).to.be.closeTo(mean, 1e-12);
    });

    it('counts a word as often as it occurs in both', () => {
      expect(rougeMean('bell bell bell', 'bell bell')).to.be.closeTo(
        Math.cbrt((4 / 5) * (2 / 3) * (4 / 5)),
        1e-12,
      );
    });

    it('is 1 for equal texts of two words and more, 0 without a common pair, symmetric, in [0, 1]', () => {
      const text = fc
        .array(fc.constantFrom('a', 'b', 'c', 'D.'), { maxLength: 8 })
        .map((words) => words.join(' '));
      fc.assert(
        fc.property(text, text, (left, right) => {
          const score = rougeMean(left, right);
          expect(score).to.be.within(0, 1 + 1e-12);
          expect(score).to.be.closeTo(rougeMean(right, left), 1e-12);
          expect(rougeMean(left, left)).to.be.closeTo(left.includes(' ') ? 1 : 0, 1e-12);
        }),
      );
      expect(rougeMean('', '')).to.equal(0);
      expect(rougeMean('a c b', 'a b c')).to.equal(0);
    });
  });

  it('firstLetter: the first stand-alone letter', () => {
    expect(firstLetter('(B) since C', 'B')).to.equal(1);
    expect(firstLetter('C, not B', 'B')).to.equal(0);
    expect(firstLetter('Because', 'B')).to.equal(0);
    expect(firstLetter('', 'B')).to.equal(0);
    expect(faultOf(() => firstLetter('B', 'none'))).to.include('expected a letter from A to D');
  });

  it('percentageSimilarity: halves with every 10 points', () => {
    expect(percentageSimilarity('63%', '63%')).to.equal(1);
    expect(percentageSimilarity('About 53.0% of them, not 63%', '63%')).to.equal(0.5);
    expect(percentageSimilarity('83%', '63%')).to.equal(0.25);
    expect(percentageSimilarity('63', '63%')).to.equal(0);
    expect(percentageSimilarity('１３%', '13%')).to.equal(1);
    expect(faultOf(() => percentageSimilarity('1%', '63'))).to.include('expected a percentage');
  });

  describe('concordance', () => {
    it('is the fraction of pairs in the right order', () => {
      expect(concordance('2, 1, 3', '2, 1, 3')).to.equal(1);
      expect(concordance('3, 1, 2', '2, 1, 3')).to.equal(0);
      expect(concordance('Order: 1, 2, 3.', '2, 1, 3')).to.be.closeTo(2 / 3, 1e-12);
    });

    it('is 0 where the numbers are others', () => {
      for (const prediction of ['', '1, 2', '1, 2, 3, 4', '1, 1, 3', '1-2, 3']) {
        expect(concordance(prediction, '1, 2, 3'), prediction).to.equal(0);
      }
      expect(faultOf(() => concordance('1', '1'))).to.include('expected an order');
      expect(faultOf(() => concordance('1, 1', '1, 1'))).to.include('expected an order');
    });

    it('of an order and of its reverse sum to 1', () => {
      const order = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 7 });
      fc.assert(
        fc.property(order, (numbers) => {
          const answer = '1 2 3 4 5 6 7';
          const [score, reverse] = [numbers, [...numbers].reverse()].map((list) =>
            concordance(list.join(','), answer),
          );
          expect(score! + reverse!).to.be.closeTo(1, 1e-12);
        }),
      );
    });
  });
});
