/**
 * Key channels by magnitude alone: what ThinK (arXiv 2407.21018) would be without its queries, as a baseline.
 *
 * The mask of each KV head holds the channels with the largest norm over the kept keys. Values stay as they are.
 */
import * as z from 'zod';
import type { LayerTrace } from '../../src/cache/types.js';
import { keptChannels } from '../../src/methods/channel/channels.js';
import { expectDense } from '../../src/methods/plan.js';
import { markLargest } from '../../src/methods/select.js';
import type { ChannelMethod } from '../../src/methods/types.js';

const params = z.strictObject({
  ratio: z.number().min(0).lt(1).describe('fraction of the key channels dropped, in [0, 1)'),
});

export const keyMagnitude: ChannelMethod<z.infer<typeof params>> = {
  name: 'key_magnitude',
  axis: 'channel',
  summary: 'drops the key channels with the smallest norm, whatever the queries',
  paper: 'arXiv 2407.21018, without the queries',
  stores: 'per KV head: one mask of D bits, T channels of each key; values dense',
  notes: ['Not published as a method: a baseline that shows what knowing the queries is worth.'],
  params,
  sizedBy: ['ratio'],
  observes: () => [],
  prunes: ({ ratio }) => (ratio === 0 ? [] : ['keys']),
  asksForNothing: (_trace, { ratio }) => ratio === 0,
  plan(trace, { ratio }, plan) {
    expectDense('key_magnitude', 'Prune key channels by one method only.', { keys: plan.keys });
    if (ratio === 0) return plan;
    const kept = keptChannels('key_magnitude', ratio, trace.headDim); // T
    const masks = plan.tokens.map((positions, h) => {
      const mask = new Uint8Array(trace.headDim); // [D]
      markLargest(squares(trace, positions, h), kept, mask, 0, new Float32Array(trace.headDim));
      return mask;
    });
    return { ...plan, keys: { codec: 'channels', masks, recent: 0 } };
  },
};

/** Sum of squares of each key channel over the kept tokens of KV head h; `[D]`. */
function squares(
  { keys, length: S, headDim: D }: LayerTrace,
  positions: Int32Array,
  h: number,
): Float32Array {
  const sums = new Float32Array(D);
  for (const t of positions) {
    for (let j = 0; j < D; j++) sums[j]! += keys[(h * S + t) * D + j]! ** 2;
  }
  return sums;
}
