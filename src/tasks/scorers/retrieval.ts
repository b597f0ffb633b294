/**
 * Passage retrieval: `retrieval_score` and `retrieval_zh_score` of LongBench (arXiv 2308.14508, metrics.py).
 *
 * An answer's number stands behind a word ("Paragraph 4", "段落4", to the space); a prediction is then scored as a
 * count, and need not say "Paragraph".
 */
import { UserError } from '../../base/errors.js';
import { count } from './count.js';

const ENGLISH = /Paragraph (\p{Nd}+)/u;
const CHINESE = /段落(\p{Nd}+)/u;

/** In [0, 1]. Throws UserError where the answer is not "Paragraph N". */
export function retrieval(prediction: string, answer: string): number {
  return count(prediction, numberOf(answer, ENGLISH, 'Paragraph N'));
}

/** In [0, 1]. Throws UserError where the answer is not "段落N". */
export function retrievalZh(prediction: string, answer: string): number {
  return count(prediction, numberOf(answer, CHINESE, '段落N'));
}

function numberOf(answer: string, pattern: RegExp, form: string): string {
  const number = pattern.exec(answer)?.[1];
  if (number === undefined) {
    throw new UserError(`expected an answer of the form "${form}", found ${JSON.stringify(answer)}`, {
      hint: 'The file of the data set may have been edited or cut.',
    });
  }
  return number;
}
