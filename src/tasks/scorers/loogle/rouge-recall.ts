/**
 * ROUGE recall, as LooGLE (arXiv 2311.04939) has the Python package `rouge` compute it: ROUGE-1, ROUGE-2, ROUGE-L.
 *
 * Each n-gram counts once, and n-grams cross sentences. An empty prediction scores 0, as the
 * released harness makes of the exception. Mended: no recursion limit, which there makes 0 of a sentence of some
 * thousand words. LooGLE's METEOR and BERTScore are not computed here: they need WordNet and a model.
 */
import { commonWords, sentencesOf } from '../union-lcs.js';
import { ngrams } from './bleu.js';

/** The fraction of the reference's distinct n-grams that occur in the prediction, in [0, 1]. */
export function rougeRecall(prediction: string, reference: string, n: 1 | 2): number {
  const expected = new Set(ngrams(sentencesOf(reference).flat(), n));
  if (expected.size === 0) return 0;
  const predicted = new Set(ngrams(sentencesOf(prediction).flat(), n));
  return [...expected].filter((gram) => predicted.has(gram)).length / expected.size;
}

/** The fraction of the reference's distinct words on a common subsequence with the prediction, in [0, 1]. */
export function rougeLRecall(prediction: string, reference: string): number {
  const expected = sentencesOf(reference);
  const common = commonWords(sentencesOf(prediction), expected);
  return common === undefined || common.size === 0 ? 0 : common.size / new Set(expected.flat()).size;
}
