/**
 * ThinK (arXiv 2407.21018): one mask of key channels per KV head, driven by the last queries of the prompt.
 *
 * Decides the mask: a channel is worth ‖Q_j‖·‖K_j‖, the norm of what it adds to the logits, over the window's
 * queries and over every kept key. Tokens and values are left as they are.
 */
import { z } from 'zod';
import type { LayerTrace } from '../cache/types.js';
import { keptChannels } from './channels.js';
import { observed, windowQueries } from './observations.js';
import { expectDense } from './plan.js';
import { markLargest } from './select.js';
import type { Method } from './types.js';

const params = z.strictObject({
  ratio: z.number().min(0).lt(1).describe('fraction of the key channels dropped, in [0, 1)'),
  variant: z
    .enum(['official', 'kvpress'])
    .default('official')
    .describe(
      'official: the newest tokens keep all channels; kvpress: every token loses them (the published SparK tables)',
    ),
  window: z
    .int()
    .min(1)
    .default(32)
    .describe('queries at the end of the prompt that rank the channels; at least 1'),
  recent: z
    .int()
    .min(0)
    .default(32)
    .describe('newest tokens with all channels; at least 0; official variant only'),
});

type ThinkParams = z.infer<typeof params>;

export const think: Method<ThinkParams> = {
  name: 'think',
  axis: 'channel',
  summary: 'drops the same key channels for all tokens of a KV head',
  paper: 'arXiv 2407.21018',
  stores:
    'per KV head: one mask of D bits, T channels of each older key, the newest keys and all values dense',
  notes: [
    'One mask per KV head, from the mean over its query heads of their squares; the released code has one per query head and stores the cache once for each.',
    'Keeps D − ⌊ratio·D⌋ channels, as released (39 of 64 at 0.4); the paper writes ⌊(1 − ratio)·D⌋.',
    'Key norms run over all kept keys, the newest included, as released.',
    'kvpress prunes the newest tokens as well, which makes it a weaker baseline.',
  ],
  params,
  observes: ({ window }) => [windowQueries(window)],
  asksForNothing: (_trace, { ratio }) => ratio === 0,
  plan(trace, { ratio, variant, window, recent }, plan) {
    expectDense('think', 'Prune key channels by one method only.', { keys: plan.keys });
    if (ratio === 0) return plan;
    const kept = keptChannels('think', ratio, trace.headDim);
    const queries = observed(trace, windowQueries(window)); // [H, w, D]
    const masks = plan.tokens.map((positions, h) => {
      const queryNorms = querySquares(trace, queries, h);
      const keyNorms = keySquares(trace, positions, h);
      const worth = Float32Array.from(queryNorms, (q, j) => q * keyNorms[j]!); // [D]
      const mask = new Uint8Array(trace.headDim);
      markLargest(worth, kept, mask, 0, new Float32Array(worth.length));
      return mask;
    });
    return { ...plan, keys: { codec: 'channels', masks, recent: variant === 'kvpress' ? 0 : recent } };
  },
};

/** Mean square of each query channel, over the window and the query heads of KV head h; `[D]`. */
function querySquares(
  { heads, kvHeads, headDim: D }: LayerTrace,
  queries: Float32Array,
  h: number,
): Float64Array {
  const rows = (queries.length / heads / D) * (heads / kvHeads); // G·w, contiguous in [H, w, D]
  const squares = new Float64Array(D);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < D; j++) squares[j]! += queries[(h * rows + r) * D + j]! ** 2 / rows;
  }
  return squares;
}

/** Mean square of each key channel over the kept tokens of KV head h; `[D]`. */
function keySquares(
  { keys, length, headDim: D }: LayerTrace,
  positions: Int32Array,
  h: number,
): Float64Array {
  const squares = new Float64Array(D);
  for (const t of positions) {
    for (let j = 0; j < D; j++) squares[j]! += keys[(h * length + t) * D + j]! ** 2 / positions.length;
  }
  return squares;
}
