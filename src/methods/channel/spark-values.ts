/**
 * SparK on values: a norm-based heuristic without queries.
 *
 * The released code scores each cached value by 0.7·|v_tj| + 0.3·diversity_tj. The paper says only "norm-based".
 */
import type { LayerTrace, SparseHead } from '../../cache/types.js';
import { UserError } from '../../base/errors.js';
import { keptChannels } from './channels.js';
import { markLargest } from '../select.js';

const NORM_WEIGHT = 0.7;
const DIVERSITY_WEIGHT = 0.3;

/** Masks and fill of the values of KV head h at the kept positions: their token's mean where recovery is degenerate. */
export function pruneValues(
  trace: LayerTrace,
  params: { readonly value_ratio: number; readonly recovery: string; readonly recent: number },
  positions: Int32Array,
  h: number,
): SparseHead {
  const { headDim: D, values, length } = trace;
  const n = positions.length;
  const kept = keptChannels('spark (values)', params.value_ratio, D);
  const rowOf = (t: number) => (h * length + positions[t]!) * D;
  const channelVariance = Float64Array.from({ length: D }, (_, j) =>
    variance(n, (t) => values[rowOf(t) + j]!),
  );
  const tokenVariance = Float64Array.from({ length: n }, (_, t) => {
    const row = rowOf(t);
    return variance(D, (j) => values[row + j]!);
  });
  const greatest = (largest(channelVariance) + largest(tokenVariance)) / 2 + 1e-8;
  if (!Number.isFinite(greatest)) {
    throw new UserError(`spark: values of KV head ${h} are not finite`, {
      hint: 'The model produced numbers that are not finite; are its weights whole?',
    });
  }
  const score = new Float32Array(D);
  const scratch = new Float32Array(D);
  const mask = new Uint8Array(n * D); // [n, D]
  const scale = new Float32Array(n); // [n]
  for (let t = 0; t < n; t++) {
    const row = rowOf(t);
    for (let j = 0; j < D; j++) {
      const diversity = (channelVariance[j]! + tokenVariance[t]!) / 2 / greatest;
      score[j] = NORM_WEIGHT * Math.abs(values[row + j]!) + DIVERSITY_WEIGHT * diversity;
    }
    markLargest(score, kept, mask, t * D, scratch);
    let pruned = 0;
    for (let j = 0; j < D; j++) if (mask[t * D + j] === 0) pruned += values[row + j]!;
    scale[t] = pruned / (D - kept);
  }
  mask.fill(1, Math.max(0, n - params.recent) * D);
  return { mask, fill: params.recovery === 'degenerate' ? { kind: 'mean', scale } : { kind: 'zero' } };
}

/** Unbiased variance of n numbers, 0 for fewer than two. */
function variance(n: number, at: (i: number) => number): number {
  if (n < 2) return 0;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += at(i) / n;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (at(i) - mean) ** 2;
  return sum / (n - 1);
}

function largest(list: Float64Array): number {
  return list.reduce((most, x) => Math.max(most, x), 0);
}
