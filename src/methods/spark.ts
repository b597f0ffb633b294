/**
 * SparK (arXiv 2508.15212): per-token, query-aware pruning of key channels whose pruned entries are recovered.
 *
 * Decides which T channels of each cached key stay, and what attention reads in place of the others. Every kept
 * token is pruned, sinks and observation window included. Section numbers are the paper's.
 *
 *   a_j     = ‖ mean over the G query heads of q_·j ‖₂ over the window         what the queries ask of channel j
 *   w_tj    = a_j · k_tj²                                                      saliency (4.2; the paper: a_j·|k_tj|)
 *   keep the T largest w_t· of each token t
 *   μ_t     = mean of w_tj over { j : w_tj < the T-th largest }                degenerate recovery (4.3)
 *   k̃_tj    = sign(k_tj) · √μ_t · a_j^(−1/2)                                   the inverse of w (the paper: μ_t / a_j)
 */
import { z } from 'zod';
import type { LayerTrace, SparseHead } from '../cache/types.js';
import { UserError } from '../errors.js';
import { keptChannels } from './channels.js';
import { observed, windowQueries } from './observations.js';
import { expectDense } from './plan.js';
import { markLargest } from './select.js';
import { pruneValues } from './spark-values.js';
import type { Method } from './types.js';

const params = z.strictObject({
  ratio: z.number().min(0).lt(1).describe('λ, fraction of the channels of each key pruned, in [0, 1)'),
  value_ratio: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('fraction of the channels of each value pruned, in [0, 1); 0 = values stay dense'),
  recovery: z
    .enum(['degenerate', 'none'])
    .default('degenerate')
    .describe('what stands in for pruned entries: degenerate = sign and scale, none = zero'),
  window: z
    .int()
    .min(1)
    .default(32)
    .describe('queries at the end of the prompt that rank the channels; at least 1'),
  saliency: z.enum(['released', 'paper']).default('released').describe('released: a·k²; paper: a·|k|'),
  reduce: z
    .enum(['l2', 'mean'])
    .default('l2')
    .describe(
      'queries of the window to a: l2 = norm (released code), mean = absolute value of the mean (paper)',
    ),
  rounding: z
    .enum(['int', 'floor'])
    .default('int')
    .describe('channels kept: int = D − ⌊λD⌋ (released code), floor = ⌊(1 − λ)D⌋ (paper)'),
});

export type SparkParams = z.infer<typeof params>;

export const spark: Method<SparkParams> = {
  name: 'spark',
  axis: 'channel',
  summary: 'prunes key channels token by token by query-aware saliency and recovers them from sign and scale',
  paper: 'arXiv 2508.15212',
  stores:
    'per token: T entries, a mask of D bits, D − T sign bits and one scale; per KV head: one D-vector; the same for values without signs',
  notes: [
    'Defaults are the released code, which made the tables: saliency a·k², l2 over the window, D − ⌊λD⌋ channels kept.',
    'saliency=paper, reduce=mean, rounding=floor is what the paper writes.',
    'The mean over the query heads of a KV head is taken of signed queries, as released.',
    'The sampled recoveries (normal, exponential) are not built: they need the order of the pruned channels, which costs more than the channels.',
    'At ratio 0 the released code erases all keys; here it prunes nothing.',
  ],
  params,
  observes: ({ ratio, window }) => (ratio === 0 ? [] : [windowQueries(window)]),
  asksForNothing: (_trace, { ratio, value_ratio }) => ratio === 0 && value_ratio === 0,
  plan(trace, params, plan) {
    let { keys, values } = plan;
    if (params.ratio > 0) {
      expectDense('spark', 'Prune key channels by one method only.', { keys });
      keys = {
        codec: 'sparse',
        heads: plan.tokens.map((positions, h) => pruneKeys(trace, params, positions, h)),
      };
    }
    if (params.value_ratio > 0) {
      expectDense('spark', 'Prune value channels by one method only.', { values });
      values = {
        codec: 'sparse',
        heads: plan.tokens.map((positions, h) => pruneValues(trace, params, positions, h)),
      };
    }
    return { ...plan, keys, values };
  },
};

/** Masks and fill of the keys of KV head h at the kept positions. */
function pruneKeys(trace: LayerTrace, params: SparkParams, positions: Int32Array, h: number): SparseHead {
  const { headDim: D, keys, length } = trace;
  const kept = keptChannels('spark', params.ratio, D, params.rounding);
  const query = queryDemand(trace, params, h); // [D]
  const squared = params.saliency === 'released';
  const saliency = new Float32Array(D);
  const scratch = new Float32Array(D);
  const mask = new Uint8Array(positions.length * D); // [n, D]
  const scale = new Float32Array(positions.length); // [n]
  let total = 0;
  for (let t = 0; t < positions.length; t++) {
    const row = (h * length + positions[t]!) * D;
    for (let j = 0; j < D; j++) {
      const key = keys[row + j]!;
      const asked = query[j]! * (squared ? key * key : Math.abs(key));
      saliency[j] = asked;
      total += asked;
    }
    const threshold = markLargest(saliency, kept, mask, t * D, scratch);
    const mean = meanBelow(saliency, threshold);
    scale[t] = squared ? Math.sqrt(mean) : mean;
  }
  if (!Number.isFinite(total)) {
    throw new UserError(`spark: keys or queries of KV head ${h} are not finite`, {
      hint: 'The model produced numbers that are not finite; are its weights whole?',
    });
  }
  if (params.recovery === 'none') return { mask, fill: { kind: 'zero' } };
  // A channel that no query asks for has saliency 0 everywhere: whatever stands there, it is read as 0.
  const channel = Float32Array.from(query, (a) => (a === 0 ? 0 : 1 / (squared ? Math.sqrt(a) : a)));
  return { mask, fill: { kind: 'signed', scale, channel } };
}

/** a: what the window's queries ask of each channel of KV head h; `[D]`. */
function queryDemand(trace: LayerTrace, { window, reduce }: SparkParams, h: number): Float64Array {
  const { heads, kvHeads, headDim: D } = trace;
  const group = heads / kvHeads;
  const queries = observed(trace, windowQueries(window)); // [H, w, D]
  const rows = queries.length / heads / D; // w
  const demand = new Float64Array(D);
  for (let u = 0; u < rows; u++) {
    for (let j = 0; j < D; j++) {
      let sum = 0;
      for (let g = 0; g < group; g++) sum += queries[((h * group + g) * rows + u) * D + j]!;
      demand[j]! += reduce === 'l2' ? (sum / group) ** 2 : sum / group;
    }
  }
  return demand.map((x) => (reduce === 'l2' ? Math.sqrt(x) : Math.abs(x) / rows));
}

/** Mean of the entries strictly below the threshold, 0 where there are none. */
function meanBelow(values: Float32Array, threshold: number): number {
  let sum = 0;
  let count = 0;
  for (let j = 0; j < values.length; j++) {
    const value = values[j]!;
    if (value < threshold) {
      sum += value;
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}
