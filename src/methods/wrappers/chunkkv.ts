/**
 * ChunkKV (arXiv 2502.00299): whole chunks of neighbouring tokens stay or go, so that what belongs together stays so.
 *
 * A chunk is worth the mean of its tokens' scores, summed over the KV heads; all heads keep the same chunks.
 */
import * as z from 'zod';
import type { RankedHead } from '../token/token-method.js';
import { indicesOfLargest } from '../select.js';
import { baseFields, bestOfEach, checkBase, methodOfBase } from './base-scorer.js';
import { chunksOf, indicesHeld, summedScores } from './summed-scores.js';

const params = z
  .strictObject({
    ...baseFields,
    chunk: z.int().min(1).max(65_536).default(20).describe('tokens of a chunk, 1 to 65,536'),
  })
  .check(checkBase);

type ChunkKvParams = z.infer<typeof params>;

export const chunkkv = methodOfBase<ChunkKvParams>({
  name: 'chunkkv',
  summary:
    "keeps the chunks of neighbouring tokens that another method's scores prefer, the same for all KV heads",
  paper: 'arXiv 2502.00299',
  stores:
    'keys and values of the kept chunks, dense; the number of tokens differs where the last, shorter chunk stays',
  notes: [
    'As in kvpress: of c chunks ⌊c·(1 − ratio)⌋ stay, the last, shorter one counted like any other. A budget is the share of chunks that it is of the tokens.',
    'What the base always keeps is not protected: its tokens have the largest scores of the layer, and their chunks compete by the mean.',
    'A prompt shorter than a chunk is left to the base.',
    'The paper’s reuse of one layer’s choice in the layers above it is not built.',
  ],
  params,
  observes: [],
  choose: (heads, { chunk, ratio }, { length: S }) => {
    if (S < chunk) return bestOfEach(heads);
    const chunks = chunksOf(summedScores(heads, S), chunk);
    const count = Math.max(
      1,
      Math.trunc(chunks.length * (ratio === undefined ? shareKept(heads) : 1 - ratio)),
    );
    const means = Float32Array.from(chunks, ({ mean }) => mean);
    const kept = [...indicesOfLargest(means, count)].flatMap((c) => chunks[c]!.positions);
    return indicesHeld(heads, new Set(kept));
  },
});

/** Of the tokens of all heads. */
export function shareKept(heads: readonly RankedHead[]): number {
  const sum = (of: (head: RankedHead) => number): number =>
    heads.reduce((total, head) => total + of(head), 0);
  return sum(({ keep }) => keep) / sum(({ held }) => held.length);
}
