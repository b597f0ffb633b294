/**
 * F1 of words for data of the user's own.
 *
 * SQuAD's rules (lower case, no ASCII punctuation, no articles) leave nothing of the answers "A" or "!!!", and take a Chinese
 * sentence for one word. Here an answer keeps what else nothing would be left of, and scripts without spaces count by the
 * character.
 */
import { answerWords } from '../scorers/normalise-answer.js';
import { splitWords } from '../scorers/python-text.js';
import { tokenF1 } from '../scorers/token-f1.js';
import { hasUnspaced, UNSPACED } from '../scripts.js';

const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/g;
const PIECES = new RegExp(`[${UNSPACED}]\\p{M}*|[^${UNSPACED}]+`, 'gu');
const COUNTS = /[\p{L}\p{N}]/u;

/** From SQuAD's rules to none: the first that leaves something of an answer is the one for both sides. */
const RULES: readonly ((text: string) => string[])[] = [
  (text) => answerWords(text).flatMap(pieces),
  (text) => splitWords(text.toLowerCase().replace(ASCII_PUNCTUATION, '')).flatMap(pieces),
  (text) => splitWords(text.toLowerCase()),
];

/** In [0, 1]; `answer` is more than white space. */
export function ownF1(prediction: string, answer: string): number {
  for (const wordsOf of RULES) {
    const expected = wordsOf(answer);
    if (expected.length > 0) return tokenF1(wordsOf(prediction), expected);
  }
  return 0;
}

/** The characters of a word in a script without spaces, marks between them left out; any other word as it is. */
function pieces(word: string): string[] {
  return hasUnspaced(word) ? word.match(PIECES)!.filter((piece) => COUNTS.test(piece)) : [word];
}
