/**
 * ROUGE-L: `rouge_score` and `rouge_zh_score` of LongBench (arXiv 2308.14508, metrics.py), F of the package `rouge`.
 *
 * As released: equal texts give 2 / (2 + 1e-8), not 1; case and punctuation
 * count; a text without a sentence scores 0; and so does one whose trace is deeper than Python's recursion limit,
 * which there is an exception that nobody sees. Chinese is cut into jieba words first; `。` ends no sentence.
 */
import { segmentChinese } from './jieba.js';
import { commonWords, sentencesOf } from './union-lcs.js';

/** Steps of a trace that Python's default recursion limit of 1000 allows a script. */
const PYTHON_STEPS = 991;
const SMOOTHING = 1e-8;

/**
 * In [0, 1).
 *
 * @param stepLimit longest trace that is not an exception; Infinity lifts the limit of the released scorer
 */
export function rougeLWithin(prediction: string, reference: string, stepLimit: number): number {
  const predicted = sentencesOf(prediction);
  const expected = sentencesOf(reference);
  const common = commonWords(predicted, expected, stepLimit);
  if (common === undefined || common.size === 0) return 0;
  const precision = common.size / new Set(predicted.flat()).size;
  const recall = common.size / new Set(expected.flat()).size;
  return 2 * ((precision * recall) / (precision + recall + SMOOTHING));
}

/** In [0, 1). As released, with Python's recursion limit. */
export function rougeL(prediction: string, reference: string): number {
  return rougeLWithin(prediction, reference, PYTHON_STEPS);
}

/** In [0, 1). Throws UserError where the segmentation is not installed. */
export function rougeLZh(prediction: string, reference: string): number {
  return rougeL(spaced(prediction), spaced(reference));
}

/** A Chinese text with a space between its words. */
export function spaced(text: string): string {
  return segmentChinese(text).join(' ');
}
