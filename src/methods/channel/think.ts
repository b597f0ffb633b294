/**
 * ThinK (arXiv 2407.21018): one mask of key channels per head for all tokens, driven by the last queries of the prompt.
 *
 * One mask costs D bits a head, however long the prompt. Of keys, a channel is worth ‖Q_j‖·‖K_j‖, the norm of what it
 * adds to the logits, over the window's queries and over every kept key; of values, the norm of what it adds to the
 * window's outputs (appendix D). Tokens are left as they are.
 */
import * as z from 'zod';
import type { LayerTrace, SidePlan } from '../../cache/types.js';
import { keptChannels, sidesPruned } from './channels.js';
import { observed, windowField, windowOutputs, windowQueries } from '../observations.js';
import { expectDense } from '../plan.js';
import { markLargest } from '../select.js';
import type { ChannelMethod, Side } from '../types.js';
import { refuseUnused } from '../../base/unused-params.js';

const params = refuseUnused(
  z.strictObject({
    ratio: z.number().min(0).lt(1).describe('fraction of the key channels dropped, in [0, 1)'),
    value_ratio: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('fraction of the value channels dropped, in [0, 1); 0 = values stay dense'),
    variant: z
      .enum(['official', 'kvpress'])
      .default('official')
      .describe(
        'official: the newest tokens keep all key channels; kvpress: every token loses them (the published SparK tables)',
      ),
    mask: z
      .enum(['kv_head', 'query_head'])
      .default('kv_head')
      .describe(
        'kv_head: one mask per KV head; query_head: one per query head (released code), stored is what any of them reads',
      ),
    window: windowField
      .default(32)
      .describe('queries at the end of the prompt that rank the channels; 1 to 1024'),
    recent: z
      .int()
      .min(0)
      .default(32)
      .describe('newest tokens with all key channels; at least 0; official variant only'),
  }),
  {
    recent: { when: ({ variant }) => variant === 'official', needs: 'variant: official' },
  },
);

type ThinkParams = z.infer<typeof params>;

function prunes({ ratio, value_ratio }: ThinkParams): Side[] {
  return sidesPruned({ keys: ratio > 0, values: value_ratio > 0 });
}

export const think = {
  name: 'think',
  axis: 'channel',
  summary: 'drops the same key (and value) channels for all tokens of a KV head',
  paper: 'arXiv 2407.21018',
  stores:
    'per KV head: one mask of D bits, T channels of each older key, the newest keys dense; of values T channels of every token, or all; with mask=query_head: G masks more, and the channels of any of them',
  notes: [
    'mask=query_head is what the released code does, which stores the cache once for each query head; here the channels of the G masks are stored once, up to G·T of them. The default takes the mean over the query heads of their squares, as kvpress.',
    'Keeps D − ⌊ratio·D⌋ channels, as released (39 of 64 at 0.4); the paper writes ⌊(1 − ratio)·D⌋.',
    'Key norms run over all kept keys, the newest included, as released.',
    'kvpress prunes the newest tokens as well, which makes it a weaker baseline.',
    'Values have no released code: that every token loses the channels, the newest and decoded ones too, is a reading of appendix D, where output channels are dropped. Outputs are those of the full prompt, also behind an eviction.',
  ],
  params,
  sizedBy: ['ratio', 'value_ratio'],
  observes: ({ ratio, value_ratio, window }) => [
    ...(ratio > 0 ? [windowQueries(window)] : []),
    ...(value_ratio > 0 ? [windowOutputs(window)] : []),
  ],
  prunes,
  asksForNothing: (_trace, params) => prunes(params).length === 0,
  plan(trace, { ratio, value_ratio, variant, mask, window, recent }, plan) {
    let { keys, values } = plan;
    if (ratio > 0) {
      expectDense('think', 'Prune key channels by one method only.', { keys });
      const queries = channelSquares(observed(trace, windowQueries(window)), trace); // [H, D]
      const worth = plan.tokens.map((positions, h) => {
        const norms = keySquares(trace, positions, h);
        return groupOf(queries, trace, h).map((squares) => squares.map((q, j) => q * norms[j]!));
      });
      const kept = keptChannels('think', ratio, trace.headDim);
      keys = { ...channels(worth, kept, mask), recent: variant === 'kvpress' ? 0 : recent };
    }
    if (value_ratio > 0) {
      expectDense('think', 'Prune value channels by one method only.', { values });
      const outputs = channelSquares(observed(trace, windowOutputs(window)), trace); // [H, D]
      const worth = plan.tokens.map((_, h) => groupOf(outputs, trace, h));
      const kept = keptChannels('think (values)', value_ratio, trace.headDim);
      values = { ...channels(worth, kept, mask), everyToken: true };
    }
    return { ...plan, keys, values };
  },
} satisfies ChannelMethod<ThinkParams>;

/**
 * The `kept` channels of most worth.
 *
 * @param worth per KV head, per query head of its group: squares, `[D]`
 */
function channels(
  worth: readonly (readonly Float64Array[])[],
  kept: number,
  mask: ThinkParams['mask'],
): SidePlan & { readonly codec: 'channels' } {
  if (mask === 'kv_head') {
    const masks = worth.map((group) => largest(sum(group), kept));
    return { codec: 'channels', masks, recent: 0 };
  }
  const queryMasks = worth.map((group) => group.map((squares) => largest(squares, kept)));
  return { codec: 'channels', masks: queryMasks.map(union), queryMasks: queryMasks.flat(), recent: 0 };
}

/** `[D]`, 1 = among the `kept` largest. */
function largest(worth: Float64Array, kept: number): Uint8Array {
  const mask = new Uint8Array(worth.length);
  markLargest(Float32Array.from(worth), kept, mask, 0, new Float32Array(worth.length));
  return mask;
}

function sum(group: readonly Float64Array[]): Float64Array {
  return group[0]!.map((_, j) => group.reduce((total, squares) => total + squares[j]!, 0));
}

function union(masks: readonly Uint8Array[]): Uint8Array {
  return masks[0]!.map((_, j) => Number(masks.some((mask) => mask[j] === 1)));
}

/** The query heads of KV head h. */
function groupOf(
  squares: readonly Float64Array[],
  { heads, kvHeads }: LayerTrace,
  h: number,
): Float64Array[] {
  const group = heads / kvHeads;
  return squares.slice(h * group, (h + 1) * group);
}

/** Mean square of each channel of `rows [H, w, D]` over the window; per query head `[D]`. */
function channelSquares(rows: Float32Array, { heads, headDim: D }: LayerTrace): Float64Array[] {
  const w = rows.length / heads / D;
  return Array.from({ length: heads }, (_, h) => meanSquares(rows, D, w, (r) => h * w + r));
}

/** Mean square of each key channel over the kept tokens of KV head h; `[D]`. */
function keySquares(
  { keys, length, headDim: D }: LayerTrace,
  positions: Int32Array,
  h: number,
): Float64Array {
  return meanSquares(keys, D, positions.length, (t) => h * length + positions[t]!);
}

/** Over n rows of `entries [.., D]`, `rowAt` says which; `[D]`. */
function meanSquares(
  entries: Float32Array,
  D: number,
  n: number,
  rowAt: (r: number) => number,
): Float64Array {
  const squares = new Float64Array(D);
  for (let r = 0; r < n; r++) {
    const row = rowAt(r) * D;
    for (let j = 0; j < D; j++) squares[j]! += entries[row + j]! ** 2 / n;
  }
  return squares;
}
