import { expect } from 'chai';
import { frequency } from '../../../src/tasks/ruler/fwe.js';
import { draw, promptOf } from './support.js';

const HEADER =
  'Read the following coded text and track the frequency of each coded word. Find the three most frequently appeared coded words. ';

function counts(context: string): [string, number][] {
  expect(context.startsWith(HEADER)).to.be.true;
  const found = new Map<string, number>();
  for (const word of context.slice(HEADER.length).split(' ')) found.set(word, (found.get(word) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1]);
}

describe('fwe', () => {
  for (const contextLength of [400, 1024, 4096, 9000]) {
    it(`at ${contextLength} tokens: dots first, then the three answers, frequencies of a zeta distribution`, () => {
      for (const index of [0, 1]) {
        const { context, answers } = draw('fwe', { contextLength, index });
        const found = counts(context);
        expect(found.slice(0, 4).map(([word]) => word)).to.deep.equal(['...', ...answers]);
        const size = Math.floor((contextLength - 50) / 50);
        // The number of words is not in the sample: any that gives these counts.
        const dots = found[0]![1];
        const words = Array.from({ length: 2000 }, (_, n) => n).concat(
          Array.from({ length: 3 }, (_, n) => Math.ceil((dots * Math.PI ** 2) / 6) + n),
        );
        const ranks = Array.from({ length: size }, (_, i) => i + 1);
        const fitting = words.some((n) => {
          const expected = ranks.map((k) => frequency(n, k)).filter((count) => count > 0);
          return JSON.stringify(expected) === JSON.stringify(found.map(([, count]) => count));
        });
        expect(fitting).to.be.true;
        for (const [word] of found.slice(1)) expect(word).to.match(/^[a-z]{6}$/);
      }
    });
  }

  it('frequencies are those of α = 2', () => {
    expect([1, 2, 3, 4, 5].map((k) => frequency(1000, k))).to.deep.equal([607, 151, 67, 37, 24]);
  });

  it('the third answer always comes more often than what follows', () => {
    for (let n = 53; n < 5000; n++) expect(frequency(n, 4), String(n)).to.be.above(frequency(n, 5));
    expect(frequency(52, 4)).to.equal(frequency(52, 5));
  });

  it('answers occur in the coded text alone, and are shuffled through it', () => {
    const sample = draw('fwe');
    for (const answer of sample.answers) {
      const count = counts(sample.context).find(([word]) => word === answer)![1];
      expect(promptOf(sample).toLowerCase().split(answer).length - 1).to.equal(count);
      expect(sample.context.indexOf(answer)).to.be.below(sample.context.length / 2);
      expect(sample.context.lastIndexOf(answer)).to.be.above(sample.context.length / 2);
    }
  });

  it('asks to the letter', () => {
    expect(draw('fwe')).to.include({
      question:
        "\nQuestion: Do not provide any explanation. Please ignore the dots '....'. What are the three most frequently appeared words in the above coded text?",
      answerPrefix:
        'Answer: According to the coded text above, the three most frequently appeared words are:',
    });
  });
});
