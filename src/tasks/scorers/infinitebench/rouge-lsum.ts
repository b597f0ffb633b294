/**
 * ROUGE-Lsum as the Python package `rouge_score` computes it (F), with which InfiniteBench scores summaries.
 *
 * Unlike LongBench's ROUGE-L: sentences are lines, words are lower-case runs of a–z and 0–9, and each counts as often as it
 * occurs in both texts.
 */
import { counts } from '../token-f1.js';

/** In [0, 1]; 0 where either text has no word. */
export function rougeLsum(prediction: string, reference: string): number {
  const [predicted, expected] = [linesOf(prediction), linesOf(reference)];
  const left = [counts(predicted.flat()), counts(expected.flat())];
  let hits = 0;
  for (const line of expected) {
    const common = new Set(predicted.flatMap((other) => commonPlaces(line, other)));
    for (const word of line.filter((_, place) => common.has(place))) {
      if (left.some((words) => (words.get(word) ?? 0) === 0)) continue;
      for (const words of left) words.set(word, words.get(word)! - 1);
      hits++;
    }
  }
  if (hits === 0) return 0;
  const precision = hits / predicted.flat().length;
  const recall = hits / expected.flat().length;
  return (2 * precision * recall) / (precision + recall);
}

function linesOf(text: string): string[][] {
  return text.split('\n').map((line) => line.toLowerCase().match(/[a-z0-9]+/g) ?? []);
}

/** Places in `expected` of one longest common subsequence; on a tie the word of `expected` is dropped. */
function commonPlaces(expected: readonly string[], predicted: readonly string[]): number[] {
  const width = predicted.length + 1;
  const lengths = new Uint32Array((expected.length + 1) * width);
  for (let i = 1; i <= expected.length; i++) {
    for (let j = 1; j < width; j++) {
      const at = i * width + j;
      lengths[at] =
        expected[i - 1] === predicted[j - 1]
          ? lengths[at - width - 1]! + 1
          : Math.max(lengths[at - width]!, lengths[at - 1]!);
    }
  }
  const places: number[] = [];
  let [i, j] = [expected.length, predicted.length];
  while (i > 0 && j > 0) {
    if (expected[i - 1] === predicted[j - 1]) {
      places.push(--i);
      j--;
    } else if (lengths[i * width + j - 1]! > lengths[(i - 1) * width + j]!) j--;
    else i--;
  }
  return places;
}
