import { expect } from 'chai';
import fc from 'fast-check';
import { UserError } from '../../../src/base/errors.js';
import { classification } from '../../../src/tasks/scorers/classification.js';
import { codeSimilarity } from '../../../src/tasks/scorers/code-similarity.js';
import { count } from '../../../src/tasks/scorers/count.js';
import { firstLine } from '../../../src/tasks/scorers/first-line.js';
import { infinitebenchScorers } from '../../../src/tasks/scorers/infinitebench/list.js';
import { bleu } from '../../../src/tasks/scorers/loogle/bleu.js';
import { rougeLRecall, rougeRecall } from '../../../src/tasks/scorers/loogle/rouge-recall.js';
import { qaF1 } from '../../../src/tasks/scorers/qa-f1.js';
import { retrieval, retrievalZh } from '../../../src/tasks/scorers/retrieval.js';
import { rougeL } from '../../../src/tasks/scorers/rouge-l.js';
import { allFound, anyFound, cleanPrediction } from '../../../src/tasks/scorers/substring.js';
import { bestScore } from '../../../src/tasks/scorers/types.js';

type TextScorer = (prediction: string, answer: string) => number;

/** Scorers of one text against another, with what they give for equal texts of words. */
const TEXT_SCORERS: Readonly<Record<string, { readonly score: TextScorer; readonly equal: number }>> = {
  qaF1: { score: qaF1, equal: 1 },
  rougeL: { score: rougeL, equal: 2 / (2 + 1e-8) },
  codeSimilarity: { score: codeSimilarity, equal: 1 },
  bleu1: { score: (prediction, answer) => bleu(prediction, answer, 1), equal: 1 },
  rougeRecall1: { score: (prediction, answer) => rougeRecall(prediction, answer, 1), equal: 1 },
  rougeLRecall: { score: rougeLRecall, equal: 1 },
  bookF1: {
    score: (prediction, answer) => infinitebenchScorers.longbook_qa_eng(prediction, [answer]),
    equal: 1,
  },
  bookF1Zh: {
    score: (prediction, answer) => infinitebenchScorers.longbook_qa_chn(prediction, [answer]),
    equal: 1,
  },
};

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
const wordsOf = (letters: string) =>
  fc
    .array(fc.stringMatching(new RegExp(`^[${letters}]{2,5}$`)), { minLength: 1, maxLength: 12 })
    .map((words) => words.join(' '));

for (const [name, { score, equal }] of Object.entries(TEXT_SCORERS)) {
  describe(`scorer ${name}`, () => {
    it('is a number in [0, 1] for any two texts', () => {
      fc.assert(
        fc.property(anyText, anyText, (prediction, answer) => {
          expect(score(prediction, answer)).to.be.within(0, 1);
        }),
      );
    });

    it(`is ${equal} for equal texts and 0 for texts without a common letter`, () => {
      fc.assert(
        fc.property(wordsOf('c-k'), wordsOf('p-z'), (text, other) => {
          expect(score(text, text)).to.equal(equal);
          // Spaces, which code has in common, are no letters.
          expect(score(text.replaceAll(' ', ''), other.replaceAll(' ', ''))).to.equal(0);
        }),
      );
    });
  });
}

describe('scorers', () => {
  it('F1 is symmetric, and blind to case, punctuation and articles', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(qaF1(a, b)).to.be.closeTo(qaF1(b, a), 1e-12);
      }),
    );
    expect(qaF1('The A. B. Harlow!', 'an b harlow')).to.equal(1);
    expect(qaF1('the', 'the')).to.equal(0);
  });

  it('counts and retrievals are fractions of the numbers of the prediction', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 1 }), (numbers) => {
        const share = numbers.filter((number) => number === 3).length / numbers.length;
        const text = `of ${numbers.join(' and ')}.`;
        expect(count(text, '3')).to.equal(share);
        expect(retrieval(text, 'Paragraph 3')).to.equal(share);
        expect(retrievalZh(text, '段落3')).to.equal(share);
      }),
    );
    expect(count('none', '3')).to.equal(0);
    expect(() => retrieval('3', 'paragraph 3')).to.throw(UserError, '"paragraph 3"');
    expect(() => retrievalZh('3', '段落 3')).to.throw(UserError, '段落N');
  });

  it('classification shares the point among the class names found, walking the list as Python does', () => {
    const classes = ['A', 'A b', 'A b c', 'D'];
    expect(classification('D', 'D', { classes })).to.equal(1);
    expect(classification('A or D', 'D', { classes })).to.equal(0.5);
    expect(classification('A b', 'A b', { classes })).to.equal(1);
    expect(classification('A b c', 'A b c', { classes })).to.equal(0.5);
    expect(classification('X', 'X', { classes })).to.equal(0);
    expect(() => classification('D', 'D', {})).to.throw(UserError, 'class names');
  });

  it('the first line is that after leading line feeds', () => {
    expect(firstLine('\n\nyes\nno')).to.equal('yes');
    expect(firstLine('\r\nyes')).to.equal('\r');
    expect(firstLine('')).to.equal('');
  });

  it('substrings: all is the fraction of the answers, any is whether there is one', () => {
    expect(allFound(cleanPrediction(' 12\n34\t'), ['1234', '5'])).to.equal(0.5);
    expect(anyFound('B', ['x', 'b'])).to.equal(1);
    expect(anyFound('B', ['x'])).to.equal(0);
    for (const scorer of [allFound, anyFound]) expect(() => scorer('x', [])).to.throw(RangeError);
  });

  it('a prediction is worth its best answer, and nothing without answers', () => {
    expect(bestScore(qaF1, 'one two', ['two', 'one two', 'three'])).to.equal(1);
    expect(bestScore(qaF1, 'one', [])).to.equal(0);
  });
});
