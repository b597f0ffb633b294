/**
 * The scores of ZeroSCROLLS (arXiv 2305.14196, its metrics folder) beside F1: shared n-grams of a summary, a letter, a
 * percentage, an order.
 *
 * As released, but for two things of ROUGE: words are not stemmed, and the
 * geometric mean is that of a sample, not of the data set's three averages, so that it is not the leaderboard's number.
 */
import { UserError } from '../../base/errors.js';
import { ngrams } from '../scorers/loogle/bleu.js';
import { asciiDigits, wholeWord } from '../scorers/python-text.js';
import { tokenF1 } from '../scorers/token-f1.js';

/** ∛(ROUGE-1 · ROUGE-2 · ROUGE-L), F of lower-case words of a–z and 0–9, in [0, 1]. */
export function rougeMean(prediction: string, answer: string): number {
  const [predicted, expected] = [rougeWords(prediction), rougeWords(answer)];
  const [one, two] = [1, 2].map((n) => tokenF1(ngrams(predicted, n), ngrams(expected, n)));
  const common = commonLength(predicted, expected);
  const long = common === 0 ? 0 : (2 * common) / (predicted.length + expected.length);
  return Math.cbrt(one! * two! * long);
}

/** 1 where the first stand-alone letter of A to D is the answer's, else 0. */
export function firstLetter(prediction: string, answer: string): number {
  const expected = LETTER.exec(answer)?.[0];
  if (expected === undefined) throw wrongAnswer('a letter from A to D', answer);
  return LETTER.exec(prediction)?.[0] === expected ? 1 : 0;
}

/** Halves with every 10 points between the first percentages of both; 0 where there is none. In [0, 1]. */
export function percentageSimilarity(prediction: string, answer: string): number {
  const expected = percentage(answer);
  if (expected === undefined) throw wrongAnswer('a percentage such as 63%', answer);
  const predicted = percentage(prediction);
  return predicted === undefined ? 0 : 0.5 ** (Math.abs(expected - predicted) / 10);
}

/**
 * The fraction of pairs that stand in the answer's order; 0 where the numbers of the prediction are not all those of
 * the answer, each once. In [0, 1]; chance is 1/2.
 */
export function concordance(prediction: string, answer: string): number {
  const expected = numbers(answer);
  if (new Set(expected).size < 2 || new Set(expected).size < expected.length) {
    throw wrongAnswer('an order of at least two different numbers', answer);
  }
  const predicted = numbers(prediction);
  const places = new Map(predicted.map((number, place) => [number, place]));
  if (predicted.length !== expected.length || !expected.every((number) => places.has(number))) return 0;
  const order = expected.map((number) => places.get(number)!);
  const concordant = order.flatMap((place, i) => order.slice(i + 1).filter((later) => later > place));
  return concordant.length / ((order.length * (order.length - 1)) / 2);
}

const LETTER = new RegExp(wholeWord('[A-D]'), 'u');

function rougeWords(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** Length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Uint32Array(b.length + 1);
  for (const word of a) {
    const next = new Uint32Array(b.length + 1);
    for (let j = 1; j <= b.length; j++) {
      next[j] = word === b[j - 1] ? row[j - 1]! + 1 : Math.max(row[j]!, next[j - 1]!);
    }
    row = next;
  }
  return row[b.length]!;
}

function percentage(text: string): number | undefined {
  const found = /\p{Nd}+\.?\p{Nd}*(?=%)/u.exec(text)?.[0];
  return found === undefined ? undefined : Number(asciiDigits(found));
}

/** As released, all but digits, commas and white space is deleted first, so that "1-2" reads 12. */
function numbers(text: string): number[] {
  return (text.replace(/[^0-9\s,]/g, '').match(/\d+/g) ?? []).map(Number);
}

function wrongAnswer(expected: string, found: string): UserError {
  return new UserError(`expected ${expected} as the answer, found ${JSON.stringify(found)}`, {
    hint: 'The file of the data set may have been edited or cut, or be that of another task.',
  });
}
