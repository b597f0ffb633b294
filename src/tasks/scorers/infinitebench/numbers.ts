/**
 * Computation of InfiniteBench (arXiv 2402.13718, compute_scores.py): code_run, math_find, math_calc.
 *
 * Of a prediction are read the last word, the first number, or every number in order; the
 * two math tasks read no sign. Mended: the released functions compare these with the data set's answers, which are
 * strings, as if they were numbers (code_run and math_calc never match, math_find stops the run, also on a decimal
 * where an integer is expected); here both sides are read as numbers.
 */
import { UserError } from '../../../base/errors.js';
import { asciiDigits, parseInteger, splitWords } from '../python-text.js';

const CODE_MARKS = /[\n.`'":]/g;

/** code_run: 1 where the last word is the integer of the first answer, else 0. */
export function lastIntegerIs(prediction: string, answers: readonly string[]): number {
  const word = splitWords(prediction.replace(CODE_MARKS, ' ')).at(-1);
  return word !== undefined && parseInteger(word) === integerAnswer(answers[0]!) ? 1 : 0;
}

/** math_find: 1 where the first number equals the first answer, else 0. */
export function firstValueIs(prediction: string, answers: readonly string[]): number {
  const found = /\p{Nd}+(?:\.\p{Nd}+)?/u.exec(prediction)?.[0];
  return found !== undefined && Number(asciiDigits(found)) === numberAnswer(answers[0]!) ? 1 : 0;
}

/** math_calc: how many numbers are right before the first wrong one, as a fraction of the answers, in [0, 1]. */
export function rightBeforeWrong(prediction: string, answers: readonly string[]): number {
  const numbers = prediction.match(/[0-9]+/g) ?? [];
  const wrong = answers.findIndex((answer, i) => {
    const number = numbers[i];
    return number === undefined || parseInteger(number) !== integerAnswer(answer);
  });
  return (wrong < 0 ? answers.length : wrong) / answers.length;
}

function integerAnswer(answer: string): bigint {
  const value = parseInteger(answer);
  if (value === undefined) throw notNumber('an integer', answer);
  return value;
}

function numberAnswer(answer: string): number {
  const value = answer.trim() === '' ? NaN : Number(answer);
  if (Number.isNaN(value)) throw notNumber('a number', answer);
  return value;
}

function notNumber(expected: string, found: string): UserError {
  return new UserError(`expected ${expected} as the answer, found ${JSON.stringify(found)}`, {
    hint: 'The file of the data set may have been edited or cut.',
  });
}
