/**
 * Random strings of letters: variable names and coded words.
 *
 * No string comes twice, and none occurs in the prompt's own words, where a model that merely
 * repeats the prompt would seem to find it. The embedded model was not trained on strings of this kind, so that the
 * held-out rule (held-out.ts) does not apply to them.
 */
import type { Random } from '../../base/random.js';

export const UPPER_CASE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
export const LOWER_CASE = UPPER_CASE.toLowerCase();

/** A uniform string of `length` letters. */
export function letters(random: Random, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[random.below(alphabet.length)]!).join('');
}

/** `count` different strings, none of them inside `prompt`; case does not count, as in the score. */
export function distinct(count: number, draw: () => string, prompt = ''): string[] {
  const words = prompt.toLowerCase();
  const drawn = new Set<string>();
  while (drawn.size < count) {
    const text = draw();
    if (!words.includes(text.toLowerCase())) drawn.add(text);
  }
  return [...drawn];
}
