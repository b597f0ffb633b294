/**
 * Retrieval of InfiniteBench (arXiv 2402.13718, compute_scores.py): kv_retrieval, passkey, number_string,
 * longdialogue_qa_eng.
 *
 * Looked at are the words of a prediction, its first number, or all of it. As released: digits are
 * ASCII only, a leading zero makes another number, and a name may stand inside a word.
 */
import { splitWords, strip } from '../python-text.js';

const KEY_MARKS = /[\n:"'.,?!{}]/g;

/** kv_retrieval: 1 where the first answer is a word of the prediction, else 0. */
export function keyValueFound(prediction: string, answers: readonly string[]): number {
  const words = splitWords(prediction.replace(KEY_MARKS, ' '));
  return words.includes(answers[0]!) ? 1 : 0;
}

/** passkey, number_string: 1 where the prediction's first number is the first answer, as written, else 0. */
export function firstNumberIs(prediction: string, answers: readonly string[]): number {
  return /[0-9]+/.exec(prediction)?.[0] === answers[0] ? 1 : 0;
}

/** longdialogue_qa_eng: 1 where any answer occurs, case aside, else 0. */
export function anyNameFound(prediction: string, answers: readonly string[]): number {
  const text = strip(prediction).toUpperCase();
  return answers.some((answer) => text.includes(answer.toUpperCase())) ? 1 : 0;
}
