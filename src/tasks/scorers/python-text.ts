/**
 * Text as Python 3 sees it, for the scorers are Python's and JavaScript differs in what is white space, a digit or
 * part of a word.
 *
 * These are white space of `str.split` (with U+001C–U+001F and U+0085, without U+FEFF and U+200B), `\d`
 * (digits of every script) and `\w` (letters and numbers of every script, no combining marks). Nothing is normalised.
 */

const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SPACES = new RegExp(`[${SPACE}]+`, 'gu');
const OUTER_SPACES = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'gu');

/** `\w`, for use between brackets of a pattern with the flag `u`. */
const WORD = '\\p{L}\\p{N}_';
const DIGITS = /\p{Nd}+/gu;
const DIGIT = /^\p{Nd}$/u;

/** Python's `str.split()`: the words between white space, none of them empty. */
export function splitWords(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== '');
}

/** Python's `str.strip()`. */
export function strip(text: string): string {
  return text.replace(OUTER_SPACES, '');
}

/** The characters as Python counts them: code points. */
export function codePoints(text: string): string[] {
  return Array.from(text);
}

/** Without the line feeds at its start; other white space stays, a carriage return too. */
export function stripLeadingNewlines(text: string): string {
  return text.replace(/^\n+/, '');
}

/** Every run of digits, as written (`\d+`): `-7` gives 7, `7.0` gives 7 and 0. */
export function digitRuns(text: string): string[] {
  return text.match(DIGITS) ?? [];
}

/** The source of a pattern (flag `u`) between two Unicode word boundaries; it must begin and end in word characters. */
export function wholeWord(pattern: string): string {
  return `(?<![${WORD}])(?:${pattern})(?![${WORD}])`;
}

/** Digits of other scripts as 0–9; all else stays. */
export function asciiDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => String(digitValue(digit.codePointAt(0)!)));
}

/** Unicode keeps the digits of a script together, ten in ascending order. */
function digitValue(codePoint: number): number {
  let start = codePoint;
  while (DIGIT.test(String.fromCodePoint(start - 1))) start--;
  return (codePoint - start) % 10;
}

/** Python's `int(text)` for a text without white space: sign, digits of any script, single underscores between them. */
export function parseInteger(text: string): bigint | undefined {
  const ascii = asciiDigits(text);
  const match = /^([+-]?)(\d+(?:_\d+)*)$/.exec(ascii);
  if (match === null) return undefined;
  const size = BigInt(match[2]!.replaceAll('_', ''));
  return match[1] === '-' ? -size : size;
}
