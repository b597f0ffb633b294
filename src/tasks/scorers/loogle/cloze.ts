/**
 * Filled gaps of LooGLE (arXiv 2311.04939): answers and predictions are dictionaries, a value for each masked name.
 *
 * A gap is right exactly, or with one word in common. Mended: the released exact match counts a
 * prediction that is no dictionary as one gap, however many were asked; here every gap of the answer counts, as it
 * does in the released partial match. A value that is not text is wrong by itself and spoils no other gap.
 */
import { UserError } from '../../../base/errors.js';
import { splitWords } from '../python-text.js';
import { round } from '../rounding.js';
import { parseDictionary, type Scalar } from './dictionary.js';

export interface Gaps {
  readonly right: number;
  /** At least 1. */
  readonly asked: number;
}

/** Gaps whose value is the answer's. Throws UserError where the answer is no dictionary. */
export function exactGaps(prediction: string, answer: string): Gaps {
  return compare(prediction, answer, (predicted, expected) => predicted === expected);
}

/** Gaps whose value has a word in common with the answer's. Throws UserError where the answer is no dictionary. */
export function partialGaps(prediction: string, answer: string): Gaps {
  return compare(prediction, answer, (predicted, expected) => {
    if (typeof predicted !== 'string' || typeof expected !== 'string') return false;
    const words = new Set(splitWords(expected));
    return splitWords(predicted).some((word) => words.has(word));
  });
}

/** Right gaps of all samples over all that were asked, four decimals. `samples` must not be empty. */
export function gapRate(samples: readonly Gaps[]): number {
  const right = samples.reduce((total, gaps) => total + gaps.right, 0);
  const asked = samples.reduce((total, gaps) => total + gaps.asked, 0);
  return round(right / asked, 4);
}

function compare(
  prediction: string,
  answer: string,
  equal: (predicted: Scalar, expected: Scalar) => boolean,
): Gaps {
  const expected = parseDictionary(answer);
  if (expected === undefined || expected.size === 0) {
    throw new UserError(`expected an answer of the form {'<mask-0>': 'name', …}, found ${answer}`, {
      hint: 'The file of the data set may have been edited or cut.',
    });
  }
  const predicted = parseDictionary(prediction);
  const right = [...expected].filter(([key, value]) => {
    const found = predicted?.get(key);
    return found !== undefined && equal(found, value);
  });
  return { right: right.length, asked: expected.size };
}
