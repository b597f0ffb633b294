/**
 * Questions on a book of InfiniteBench (arXiv 2402.13718, compute_scores.py): longbook_qa_eng, longbook_qa_chn.
 *
 * A token of Chinese is a character, so that no segmentation is needed; articles stay. English is
 * scored as LongBench's. longbook_sum_eng has no score here: the released harness refuses it too.
 */
import { normaliseChinese } from '../normalise-answer.js';
import { codePoints } from '../python-text.js';
import { qaF1 } from '../qa-f1.js';
import { tokenF1 } from '../token-f1.js';
import { bestScore } from '../types.js';

/** longbook_qa_eng: the best F1 of words over the answers, in [0, 1]. */
export function bookF1(prediction: string, answers: readonly string[]): number {
  return bestScore(qaF1, prediction, answers);
}

/** longbook_qa_chn: the best F1 of characters over the answers, in [0, 1]. */
export function bookF1Zh(prediction: string, answers: readonly string[]): number {
  return bestScore(characterF1, prediction, answers);
}

function characterF1(prediction: string, answer: string): number {
  return tokenF1(codePoints(normaliseChinese(prediction)), codePoints(normaliseChinese(answer)));
}
