import { expect } from 'chai';
import fc from 'fast-check';
import { rougeL, rougeLWithin } from '../../../src/tasks/scorers/rouge-l.js';
import { commonWords, sentencesOf } from '../../../src/tasks/scorers/union-lcs.js';

const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ');

describe('ROUGE-L', () => {
  it('ends sentences at full stops, and keeps pieces of white space as an empty word', () => {
    expect(sentencesOf('One  two. 3.5..')).to.deep.equal([['One', 'two'], ['3'], ['5']]);
    expect(sentencesOf('One. ')).to.deep.equal([['One'], ['']]);
    expect(sentencesOf('...')).to.deep.equal([]);
  });

  it('is the union over sentences of the worked example of Lin 2004', () => {
    const common = commonWords(
      [
        ['1', '2', '6', '7', '8'],
        ['1', '3', '8', '9', '5'],
      ],
      [['1', '2', '3', '4', '5']],
    );
    expect([...common!].sort()).to.deep.equal(['1', '2', '3', '5']);
  });

  it('drops the word of the prediction where two traces are as long', () => {
    expect([...commonWords([['b', 'a']], [['a', 'b']])!]).to.deep.equal(['b']);
    expect([...commonWords([['a', 'b']], [['b', 'a']])!]).to.deep.equal(['a']);
  });

  it('scores 0 beyond the recursion limit of the released scorer, unless that is lifted', () => {
    expect(rougeL(words(991), words(991))).to.equal(2 / (2 + 1e-8));
    expect(rougeL(words(992), words(992))).to.equal(0);
    expect(rougeLWithin(words(992), words(992), Infinity)).to.equal(2 / (2 + 1e-8));
  });

  it('takes the steps of both texts: an unlike pair is as deep as the longer one', () => {
    // Nothing matches: each step drops a word of the prediction.
    expect(commonWords([words(20).split(' ')], [['x']], 20)!.size).to.equal(0);
    expect(commonWords([words(20).split(' ')], [['x']], 19)).to.equal(undefined);
  });

  it('counts as many words as a longest common subsequence of different words has', () => {
    const order = fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e', 'f', 'g'], { minLength: 1 });
    fc.assert(
      fc.property(order, order, (a, b) => {
        expect(commonWords([a], [b])!.size).to.equal(longestSubsequence(a, b));
      }),
    );
  });
});

/** By trying every subset of a. */
function longestSubsequence(a: readonly string[], b: readonly string[]): number {
  let longest = 0;
  for (let subset = 0; subset < 2 ** a.length; subset++) {
    const chosen = a.filter((_, i) => (subset >> i) & 1);
    const places = chosen.map((word) => b.indexOf(word));
    if (places.every((place, i) => place > (places[i - 1] ?? -1))) longest = Math.max(longest, chosen.length);
  }
  return longest;
}
