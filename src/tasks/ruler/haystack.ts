/**
 * Haystacks with their needles in them: repeated noise, an essay, or other needles.
 *
 * Decides the unit in which a haystack grows (sentences or words), how little is still a haystack, and where
 * needles go. Knows nothing of tokens.
 */
import type { Random } from '../../base/random.js';
import type { DataFiles } from '../files/data-files.js';
import { firstWords } from './essay.js';
import { NOISE } from './templates.js';

export type HaystackKind = 'noise' | 'essay' | 'needle';

export interface Haystack {
  readonly unit: 'sentences' | 'words';
  /** Fewest units that are built. */
  readonly least: number;
  /** The step in which RULER counts haystacks of this kind. */
  readonly increment: number;
  /** `count` units with all needles in them. */
  build(count: number, needles: readonly string[], random: Random): string;
}

/** Places in an essay: 40 values evenly spaced from its beginning to its end. */
const DEPTHS = Array.from({ length: 40 }, (_, i) => i / 39);

const SENTENCES = { unit: 'sentences', least: 5 } as const;
const sentenceIncrement = (contextLength: number) => (contextLength < 4096 ? 5 : 25);

export function noiseHaystack(contextLength: number): Haystack {
  return {
    ...SENTENCES,
    increment: sentenceIncrement(contextLength),
    build: (count, needles, random) => insertAmong(Array<string>(count).fill(NOISE), needles, random),
  };
}

/** `distractor(i)` is the i-th sentence of the haystack, itself a needle that nobody asks for. */
export function needleHaystack(contextLength: number, distractor: (i: number) => string): Haystack {
  return {
    ...SENTENCES,
    increment: sentenceIncrement(contextLength),
    build: (count, needles, random) =>
      insertAmong(
        Array.from({ length: count }, (_, i) => distractor(i)),
        needles,
        random,
      ),
  };
}

export function essayHaystack(files: DataFiles, path: string): Haystack {
  return {
    unit: 'words',
    least: 50,
    increment: 500,
    build(count, needles, random) {
      const sentences = firstWords(files, path, count);
      const depths = random.sample(DEPTHS, needles.length).sort((a, b) => a - b);
      return inserted(
        sentences,
        needles,
        depths.map((depth) => Math.floor(sentences.length * depth)),
      ).join(' ');
    },
  };
}

/** Needles before sentences at distinct random places, joined by newlines. */
function insertAmong(sentences: readonly string[], needles: readonly string[], random: Random): string {
  const places = random.sample([...sentences.keys()], needles.length).sort((a, b) => a - b);
  return inserted(sentences, needles, places).join('\n');
}

/** `needles[i]` before sentence `places[i]`; places ascend. */
function inserted(
  sentences: readonly string[],
  needles: readonly string[],
  places: readonly number[],
): string[] {
  const starts = [0, ...places];
  return starts.flatMap((start, i) => [
    ...(i === 0 ? [] : [needles[i - 1]!]),
    ...sentences.slice(start, starts[i + 1]),
  ]);
}
