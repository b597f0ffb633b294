/**
 * Counting: `count_score` of LongBench (arXiv 2308.14508, metrics.py), for passage_count.
 *
 * Every number of the prediction counts, and numbers are compared as they are written: `07` is not
 * `7`. Digits of any script are numbers.
 */
import { digitRuns } from './python-text.js';

/** The fraction of the prediction's numbers that are the answer, in [0, 1]; 0 where there is no number. */
export function count(prediction: string, answer: string): number {
  const numbers = digitRuns(prediction);
  if (numbers.length === 0) return 0;
  return numbers.filter((number) => number === answer).length / numbers.length;
}
