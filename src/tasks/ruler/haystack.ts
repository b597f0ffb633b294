/**
 * Haystacks with their needles in them: repeated noise, an essay, or other needles.
 *
 * Each grows in a unit of its own (sentences or words) from the least that is still a haystack.
 */
import type { Random } from '../../base/random.js';
import type { DataFiles } from '../files/data-files.js';
import { firstUnits } from './essay.js';
import { placeAt, pieceOf, type Placed, withNeedles } from './pieces.js';
import { NOISE } from './templates.js';

export type HaystackKind = 'noise' | 'essay' | 'needle';

export interface Haystack {
  readonly unit: 'sentences' | 'words';
  /** Fewest units that are built. */
  readonly least: number;
  /** The step in which RULER counts haystacks of this kind. */
  readonly increment: number;
  /** `count` units with all needles in them. */
  build(count: number, needles: readonly string[], random: Random): Placed;
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

/** @param placement as published where not `border` */
export function essayHaystack(
  files: DataFiles,
  path: string,
  placement: 'sentence' | 'border' | undefined,
): Haystack {
  return {
    unit: 'words',
    least: 50,
    increment: 500,
    build(count, needles, random) {
      const sentences = firstUnits(files, path, count);
      const depths = random.sample(DEPTHS, needles.length).sort((a, b) => a - b);
      const places = depths.map((depth) =>
        placement === 'border'
          ? placeAt(sentences, 100 * depth)
          : { piece: Math.floor(sentences.length * depth), unit: 0 },
      );
      return withNeedles(sentences, needles, places);
    },
  };
}

/** Needles before sentences at distinct random places, each on a line of its own. */
function insertAmong(sentences: readonly string[], needles: readonly string[], random: Random): Placed {
  const places = random.sample([...sentences.keys()], needles.length).sort((a, b) => a - b);
  return withNeedles(
    sentences.map((sentence) => pieceOf(sentence, '\n')),
    needles,
    places.map((piece) => ({ piece, unit: 0 })),
  );
}
