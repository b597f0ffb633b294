/**
 * Needles in a text at given depths.
 *
 * Decides where a depth is: at the last end of a sentence at or before that many per cent of the text's words. Knows
 * nothing of tokens and of what a needle says.
 */
import type { DataFiles } from '../files/data-files.js';
import { firstWords } from '../ruler/essay.js';

/** Sentences with `needles[i]` at `depths[i]` per cent, 0 (before all) to 100 (behind all), ascending. */
export function placeNeedles(
  sentences: readonly string[],
  needles: readonly string[],
  depths: readonly number[],
): string[] {
  const ends = [0];
  for (const sentence of sentences) ends.push(ends.at(-1)! + sentence.split(' ').length);
  const places = depths.map((depth) => ends.findLastIndex((words) => words <= (ends.at(-1)! * depth) / 100));
  return [...sentences.keys(), sentences.length].flatMap((i) => [
    ...needles.filter((_, n) => places[n] === i),
    ...sentences.slice(i, i + 1),
  ]);
}

/** Depths of `count` needles: the first at `depth`, the others evenly spaced between it and the end. */
export function spreadDepths(depth: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => depth + (i * (100 - depth)) / count);
}

/** Some `words` words of the essay at `path`, in sentences, from the first sentence that begins at or behind `skip`. */
export function passage(files: DataFiles, path: string, skip: number, words: number): string[] {
  return firstWords(files, path, skip + words).slice(firstWords(files, path, skip).length);
}
