/**
 * RULER's score: the fraction of the answers that occur in the prediction.
 *
 * Decides the cleaning, which is that of the published harness to the character: line breaks and tabs inside a
 * prediction are deleted, so that "12\n34" reads "1234". Answers are not cleaned; case does not count.
 */

/** White space as Python's `str.strip` knows it; unlike JavaScript's it has U+001C–U+001F and U+0085, not U+FEFF. */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const OUTER_SPACE = new RegExp(`^${SPACE}+|${SPACE}+$`, 'g');
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\x00-\x1f]/g;

export function cleanPrediction(prediction: string): string {
  return prediction.replace(OUTER_SPACE, '').replace(CONTROLS, '').replace(OUTER_SPACE, '');
}

/** In [0, 1]. `answers` must not be empty; an answer that is listed twice counts twice. */
export function fractionFound(prediction: string, answers: readonly string[]): number {
  if (answers.length === 0) throw new RangeError('a RULER sample has at least one answer');
  const text = cleanPrediction(prediction).toLowerCase();
  return answers.filter((answer) => text.includes(answer.toLowerCase())).length / answers.length;
}
