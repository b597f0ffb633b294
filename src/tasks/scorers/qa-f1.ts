/**
 * F1 of an answer's words: `qa_f1_score` and `qa_f1_zh_score` of LongBench (arXiv 2308.14508, metrics.py).
 *
 * Tokens are in English the words that count; in Chinese the words of jieba, each cleaned after the
 * cut, empty ones dropped. Two answers of nothing but articles or punctuation score 0, equal or not.
 */
import { segmentChinese } from './jieba.js';
import { answerWords, normaliseChinese } from './normalise-answer.js';
import { tokenF1 } from './token-f1.js';

/** In [0, 1]; symmetric. */
export function qaF1(prediction: string, answer: string): number {
  return tokenF1(answerWords(prediction), answerWords(answer));
}

/** In [0, 1]; symmetric. Throws UserError where the segmentation is not installed. */
export function qaF1Zh(prediction: string, answer: string): number {
  return tokenF1(chineseWords(prediction), chineseWords(answer));
}

function chineseWords(text: string): string[] {
  return segmentChinese(text)
    .map(normaliseChinese)
    .filter((word) => word !== '');
}
