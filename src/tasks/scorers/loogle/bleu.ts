/**
 * BLEU of one sentence (Papineni et al. 2002), as LooGLE (arXiv 2311.04939) has NLTK compute it.
 *
 * BLEU-1 is the precision of words, and what LooGLE reports as BLEU-4 that of 4-grams alone
 * (weights 0, 0, 0, 1), each times the brevity penalty. Without a common n-gram it is 0, where NLTK gives 2.2e-308.
 */
import { splitWords } from '../python-text.js';
import { counts } from '../token-f1.js';

/** In [0, 1]. Case and punctuation count; words end at white space. */
export function bleu(prediction: string, reference: string, order: 1 | 4): number {
  const predicted = splitWords(prediction);
  const expected = splitWords(reference);
  const grams = ngrams(predicted, order);
  if (grams.length === 0) return 0;
  const available = counts(ngrams(expected, order));
  let clipped = 0;
  for (const [gram, count] of counts(grams)) clipped += Math.min(count, available.get(gram) ?? 0);
  const penalty = Math.min(1, Math.exp(1 - expected.length / predicted.length));
  return penalty * (clipped / grams.length);
}

/** Every run of n words; words hold no spaces. */
export function ngrams(words: readonly string[], n: number): string[] {
  return Array.from({ length: Math.max(0, words.length - n + 1) }, (_, i) => words.slice(i, i + n).join(' '));
}
