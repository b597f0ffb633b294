/**
 * The words that two texts share in order, sentence by sentence: the union of longest common subsequences behind
 * ROUGE-L (Lin 2004), as the Python package `rouge` 1.0.1 computes it.
 *
 * Every full stop ends a sentence, decimal points and abbreviations too, and words are counted once. Of several longest
 * subsequences one is taken: where neither end matches and both shorter tables are as good,
 * the prediction's word is dropped.
 */
import { splitWords } from './python-text.js';

/**
 * Words of each sentence. Only what is empty between two full stops is dropped: a piece of white space is a sentence
 * of one word, the empty string, which counts and can match.
 */
export function sentencesOf(text: string): string[][] {
  return text
    .split('.')
    .filter((piece) => piece !== '')
    .map((piece) => {
      const words = splitWords(piece);
      return words.length === 0 ? [''] : words;
    });
}

/**
 * Distinct words of the reference that lie on a longest common subsequence of one of its sentences and one of the
 * prediction's. Undefined where a trace takes more than `stepLimit` steps.
 */
export function commonWords(
  prediction: readonly (readonly string[])[],
  reference: readonly (readonly string[])[],
  stepLimit = Infinity,
): Set<string> | undefined {
  const union = new Set<string>();
  for (const expected of reference) {
    for (const predicted of prediction) {
      const words = trace(expected, predicted, stepLimit);
      if (words === undefined) return undefined;
      for (const word of words) union.add(word);
    }
  }
  return union;
}

function trace(
  expected: readonly string[],
  predicted: readonly string[],
  stepLimit: number,
): string[] | undefined {
  // A step leaves a word of either text or of both, until one text is used up.
  if (Math.min(expected.length, predicted.length) > stepLimit) return undefined;
  const width = predicted.length + 1;
  const lengths = lcsLengths(expected, predicted);
  const words: string[] = [];
  let i = expected.length;
  let j = predicted.length;
  for (let step = 1; i > 0 && j > 0; step++) {
    if (step > stepLimit) return undefined;
    const word = expected[i - 1]!;
    if (word === predicted[j - 1]) {
      words.push(word);
      i--;
      j--;
    } else if (lengths[(i - 1) * width + j]! > lengths[i * width + j - 1]!) i--;
    else j--;
  }
  return words;
}

/** `[i * (predicted + 1) + j]`: length of the longest common subsequence of the first i and the first j words. */
function lcsLengths(expected: readonly string[], predicted: readonly string[]): Uint32Array {
  const width = predicted.length + 1;
  const lengths = new Uint32Array((expected.length + 1) * width);
  for (let i = 1; i <= expected.length; i++) {
    const word = expected[i - 1];
    for (let j = 1; j < width; j++) {
      const at = i * width + j;
      lengths[at] =
        word === predicted[j - 1]
          ? lengths[at - width - 1]! + 1
          : Math.max(lengths[at - width]!, lengths[at - 1]!);
    }
  }
  return lengths;
}
