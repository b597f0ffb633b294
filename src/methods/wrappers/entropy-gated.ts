/**
 * Entropy-gated ChunkKV: a chunk that is worth much for a single token keeps a few tokens only, and what that saves goes to
 * further chunks.
 *
 * Chunks are taken by falling mean score. One whose mean is at least the median and whose scores have less entropy than
 * the median, gives its `low` best tokens; any other is taken whole, until the budget is spent.
 */
import * as z from 'zod';
import { indicesOfLargest } from '../select.js';
import { baseFields, checkBase, methodOfBase } from './base-scorer.js';
import { chunksOf, indicesHeld, summedScores, type Chunk } from './summed-scores.js';

const EPSILON = 1e-8;

const params = z
  .strictObject({
    ...baseFields,
    chunk: z.int().min(2).max(65_536).default(10).describe('tokens of a chunk, 2 to 65,536'),
    low: z
      .int()
      .min(1)
      .max(65_536)
      .default(4)
      .describe('tokens that stay of a chunk whose score is one token’s; 1 to 65,536, below `chunk`'),
  })
  .check((context) => {
    const { chunk, low } = context.value;
    if (low < chunk) return;
    const message = `expected less than the ${chunk} tokens of a chunk, got ${low}`;
    context.issues.push({ code: 'custom', input: context.value, path: ['low'], message });
  })
  .check(checkBase);

export const entropyGated = methodOfBase<z.infer<typeof params>>({
  name: 'entropy_gated',
  summary: 'keeps chunks as ChunkKV does, and of those that one token makes worth much only a few tokens',
  paper: 'none: EntropyGatedChunkKVPress of kvpress, over arXiv 2502.00299',
  notes: [
    'As in kvpress: medians are the lower ones, and the budget is met to the token, the same tokens for every KV head.',
    'Inside a window that the base always keeps all scores are equal; of equal ones the first stays.',
    'Chunks with scores below 0 are shifted up by their least before the entropy is taken.',
  ],
  params,
  observes: [],
  choose: (heads, { chunk, low }, { length: S }) => {
    const chunks = chunksOf(summedScores(heads, S), chunk);
    const budget = Math.max(...heads.map(({ keep }) => keep));
    return indicesHeld(heads, gatedTokens(chunks, chunk, low, budget));
  },
});

/** The positions that stay. */
function gatedTokens(chunks: readonly Chunk[], width: number, low: number, budget: number): Set<number> {
  const entropies = chunks.map(({ scores }) => entropyOf(scores, Math.min(width, scores.length)));
  const leastMean = lowerMedian(chunks.map(({ mean }) => mean));
  const leastEntropy = lowerMedian(entropies);
  const kept = new Set<number>();
  let left = budget;
  const take = (positions: readonly number[], scores: readonly number[], count: number): void => {
    for (const i of indicesOfLargest(Float32Array.from(scores), count)) kept.add(positions[i]!);
    left -= count;
  };
  const order = [...chunks.keys()].sort((a, b) => chunks[b]!.mean - chunks[a]!.mean || a - b);
  for (const c of order) {
    const { positions, scores, mean } = chunks[c]!;
    const spiky = mean >= leastMean && entropies[c]! < leastEntropy;
    take(positions, scores, Math.min(left, positions.length, spiky ? low : Infinity));
  }
  const rest = chunks.flatMap(({ positions, scores }) =>
    positions.map((t, i) => [t, scores[i]!] as const).filter(([t]) => !kept.has(t)),
  );
  take(
    rest.map(([t]) => t),
    rest.map(([, score]) => score),
    Math.min(left, rest.length),
  );
  return kept;
}

/** Of scores as shares of their sum, over the most that it can be; 0 for one token. */
function entropyOf(scores: readonly number[], width: number): number {
  if (width < 2) return 0;
  const shift = Math.min(0, ...scores);
  const sum = scores.reduce((total, score) => total + score - shift, 0);
  const entropy = scores.reduce((total, score) => {
    const share = (score - shift) / (sum + EPSILON);
    return total - share * Math.log(share + EPSILON);
  }, 0);
  return Math.min(1, Math.max(0, entropy / Math.log(width)));
}

function lowerMedian(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) / 2)]!;
}
