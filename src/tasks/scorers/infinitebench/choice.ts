/**
 * Multiple choice of InfiniteBench (arXiv 2402.13718, compute_scores.py): longbook_choice_eng, code_debug.
 *
 * As kvpress has it, the choice is the last stand-alone letter of the first line that
 * has one; if that is wrong, the other rules still run. longbook_choice_eng: the first character, if A to D, decides
 * ("Because" is B); then the whole text; what follows "answer is:" and its like, one character skipped; the first
 * word that is a substring of ABCD ("AB" is one, and wrong). code_debug: the start of the text, then what follows a
 * prefix. Mended: the released code_debug reads a second answer, the letter, which its own data set drops, and stops
 * the run; here an answer may be the letter, or name and letter.
 */
import { codePoints, splitWords, strip, wholeWord } from '../python-text.js';

const LAST_A_TO_D = lastLetter('A-D');
const LAST_A_TO_J = lastLetter('A-J');

const CHOICE_MARKS = /[\n"'.,?!{}]/g;
const CHOICE_PREFIXES = ['answer is:', 'answer:', 'answer is', 'option is'];

const DEBUG_MARKS = /[\n`'"\-*]|Option|option/g;
const DEBUG_PREFIXES = ['answer is:', 'is:', 'answer:', 'correct option is:'];

/** longbook_choice_eng: 1 where the choice is one of the answers (letters, or texts of options), else 0. */
export function choice(prediction: string, answers: readonly string[]): number {
  return isChoice(strip(prediction), answers) ? 1 : 0;
}

function isChoice(text: string, answers: readonly string[]): boolean {
  const letter = LAST_A_TO_D.exec(text)?.[0];
  if (letter !== undefined && answers.includes(letter)) return true;
  const first = text.charAt(0);
  if (/^[A-D]$/.test(first)) return answers.includes(first);
  if (answers.includes(text)) return true;
  const bare = withoutMarks(text, CHOICE_MARKS);
  const rest = afterPrefix(bare, CHOICE_PREFIXES);
  if (rest !== undefined) return startsWithAny(rest, answers);
  const word = splitWords(bare).find((candidate) => 'ABCD'.includes(candidate));
  return word !== undefined && answers.includes(word);
}

/** code_debug: 1 where the function's letter (the last answer) or its name is chosen, else 0. */
export function debugChoice(prediction: string, answers: readonly string[]): number {
  const text = strip(prediction);
  if (LAST_A_TO_J.exec(text)?.[0] === answers.at(-1)) return 1;
  const bare = withoutMarks(text, DEBUG_MARKS);
  return startsWithAny(bare, answers) || startsWithAny(afterPrefix(bare, DEBUG_PREFIXES) ?? '', answers)
    ? 1
    : 0;
}

/** A stand-alone letter after which no other one stands in its line. */
function lastLetter(range: string): RegExp {
  const letter = wholeWord(`[${range}]`);
  return new RegExp(`${letter}(?![^\\n]*${letter})`, 'u');
}

function withoutMarks(text: string, marks: RegExp): string {
  return text.replace(marks, ' ').replace(/ {2,}/g, ' ');
}

/** What follows the first of the prefixes that occurs, and one more character; undefined where none occurs. */
function afterPrefix(text: string, prefixes: readonly string[]): string | undefined {
  const prefix = prefixes.find((candidate) => text.includes(candidate));
  if (prefix === undefined) return undefined;
  return codePoints(text.slice(text.indexOf(prefix) + prefix.length))
    .slice(1)
    .join('');
}

function startsWithAny(text: string, answers: readonly string[]): boolean {
  return answers.some((answer) => text.startsWith(answer));
}
