/**
 * Answers that occur in the prediction: `string_match_all` and `string_match_part` of RULER (arXiv 2404.06654).
 *
 * Cleaning is that of the published harness to the character: line breaks and tabs inside a
 * prediction are deleted, so that "12\n34" reads "1234". Answers are not cleaned; case and word boundaries do not
 * count; the empty answer is in everything.
 */
import { strip } from './python-text.js';

// eslint-disable-next-line no-control-regex
const CONTROLS = /[\x00-\x1f]/g;

/** A prediction as RULER scores it; `allFound` and `anyFound` take it cleaned. */
export function cleanPrediction(prediction: string): string {
  return strip(strip(prediction).replace(CONTROLS, ''));
}

/** The fraction of the answers that occur, in [0, 1]; an answer that is listed twice counts twice. */
export function allFound(prediction: string, answers: readonly string[]): number {
  return found(prediction, answers).length / answers.length;
}

/** 1 where any answer occurs, else 0. */
export function anyFound(prediction: string, answers: readonly string[]): number {
  return found(prediction, answers).length > 0 ? 1 : 0;
}

function found(prediction: string, answers: readonly string[]): string[] {
  if (answers.length === 0) throw new RangeError('a sample has at least one answer');
  const text = prediction.toLowerCase();
  return answers.filter((answer) => text.includes(answer.toLowerCase()));
}
