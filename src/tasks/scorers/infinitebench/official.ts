/**
 * InfiniteBench's own scores (arXiv 2402.13718, compute_scores.py of its repository) where they are not those of kvpress.
 *
 * kvpress's harness, with which the tables were made, looks for a choice anywhere in the text, and for names inside words;
 * the benchmark itself is stricter.
 */
import { codePoints, splitWords, strip } from '../python-text.js';

const MARKS = /[\n:"'.,?!{}]/g;
const CHOICE_MARKS = /[\n"'.,?!{}]/g;
const CHOICE_PREFIXES = ['answer is:', 'answer:', 'answer is', 'option is'];
const DEBUG_MARKS = /[\n`'"\-*]|Option|option/g;
const DEBUG_PREFIXES = ['answer is:', 'is:', 'answer:'];

/**
 * code_debug: 1 where the text begins with the letter and a full stop or colon, or letter or name follows a prefix.
 *
 * @param answers the name of the function and its letter
 */
export function officialDebugChoice(prediction: string, answers: readonly string[]): number {
  const letter = answers.at(-1)!;
  const start = codePoints(prediction).slice(0, 2).join('');
  if (start === `${letter}.` || start === `${letter}:`) return 1;
  const rest = afterPrefix(withoutMarks(strip(prediction), DEBUG_MARKS), DEBUG_PREFIXES);
  return rest !== undefined && startsWithAny(rest, answers) ? 1 : 0;
}

/** longbook_choice_eng: the first character, if A to D, decides; then what follows a prefix; then the first such word. */
export function officialChoice(prediction: string, answers: readonly string[]): number {
  const first = prediction.charAt(0);
  if (/^[A-D]$/.test(first)) return answers.includes(first) ? 1 : 0;
  const bare = withoutMarks(prediction, CHOICE_MARKS);
  const rest = afterPrefix(bare, CHOICE_PREFIXES);
  if (rest !== undefined) return startsWithAny(rest, answers) ? 1 : 0;
  const word = splitWords(bare).find((candidate) => 'ABCD'.includes(candidate));
  return word !== undefined && answers.includes(word) ? 1 : 0;
}

/** longdialogue_qa_eng: 1 where the first answer is a word of the prediction in upper case. */
export function officialNameFound(prediction: string, answers: readonly string[]): number {
  const words = splitWords(prediction.replace(MARKS, ' ')).map((word) => word.toUpperCase());
  return words.includes(answers[0]!) ? 1 : 0;
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
