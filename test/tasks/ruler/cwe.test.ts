import { expect } from 'chai';
import { cweTask } from '../../../src/tasks/ruler/cwe.js';
import { drawn, opened } from '../loader-support.js';
import { draw } from './support.js';

const HEADER =
  'Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that appear most often.\n';
const QUESTION = '\nQuestion: What are the 10 most common words in the above list?';
const PREFIX = 'Answer: The top 10 words that appear most often in the list are:';

/** The words of `1. word 2. word …`; throws where the numbers do not run. */
function listed(text: string): string[] {
  const words = text.split(/(?:^| )\d+\. /).slice(1);
  expect(words.map((word, i) => `${i + 1}. ${word}`).join(' ')).to.equal(text);
  return words;
}

function counts(words: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const word of words) found.set(word, (found.get(word) ?? 0) + 1);
  return found;
}

/** How many words come how often. */
const histogram = (words: readonly string[]) =>
  Object.fromEntries(counts([...counts(words).values()].map(String)));

function parts(context: string) {
  const [before, example, list] = context.split(HEADER);
  expect(before).to.equal('');
  const [text, answer] = example!.split(`${QUESTION} ${PREFIX} `);
  expect(answer!.endsWith('\n')).to.be.true;
  return { example: listed(text!), answer: listed(answer!.trimEnd()), list: listed(list!) };
}

describe('cwe', () => {
  for (const { contextLength, often, seldom, example } of [
    { contextLength: 8192, often: 30, seldom: 3, example: { 10: 10, 3: 30 } },
    { contextLength: 4096, often: 30, seldom: 3, example: { 10: 10, 3: 30 } },
    { contextLength: 4095, often: 6, seldom: 1, example: { 3: 10, 1: 10 } },
  ]) {
    it(`at ${contextLength} tokens: ten words ${often} times, the others ${seldom}`, () => {
      const { context, answers } = draw('cwe', { contextLength });
      const found = parts(context);
      const of = counts(found.list);
      expect(answers.map((word) => of.get(word))).to.deep.equal(Array(10).fill(often));
      const others = [...of].filter(([word]) => !answers.includes(word));
      expect(others.length).to.be.above(10);
      for (const [word, count] of others) expect(count, word).to.equal(seldom);
      expect(histogram(found.example)).to.deep.equal(example);
    });
  }

  it('the example is answered with its own ten common words, to the letter', () => {
    const { example, answer } = parts(draw('cwe').context);
    const of = counts(example);
    expect(answer).to.have.length(10);
    expect(new Set(answer.map((word) => of.get(word)))).to.deep.equal(new Set([3]));
    expect(draw('cwe')).to.include({ question: QUESTION, answerPrefix: PREFIX });
  });

  it('is shuffled, with another list for every sample', () => {
    const { list } = parts(draw('cwe').context);
    const first = list.findIndex((word) => word !== list[0]);
    expect(first).to.be.below(6);
    expect(draw('cwe', { index: 1 }).answers).to.not.deep.equal(draw('cwe').answers);
  });

  it('a list that holds all words ends there', () => {
    const words = (countTokens: (text: string) => number) => {
      const open = opened(cweTask, {}, { contextLength: 100_000, seed: 1, countTokens });
      return new Set(parts(drawn(open).context).list).size;
    };
    expect(words((text) => Math.ceil(text.length / 2))).to.be.below(7620);
    expect(words((text) => Math.ceil(text.length / 100))).to.equal(7620);
  });
});
