/**
 * Scripts that are written without spaces between words, and marks that end a sentence in any script.
 *
 * Splitting at white space takes a whole Chinese, Japanese, Thai, Lao, Khmer or Burmese text for one word.
 */

/** A character of such a script, for use between brackets of a pattern with the flag `u`. */
export const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー々';

const HAS_UNSPACED = new RegExp(`[${UNSPACED}]`, 'u');

export function hasUnspaced(text: string): boolean {
  return HAS_UNSPACED.test(text);
}

/** Ends of sentences that need no white space behind them. */
export const UNSPACED_END = '。！？｡．';
/** Ends of sentences of other scripts, with white space behind them as in English. */
export const SPACED_END = '؟۔।॥։።፧។៕။';
