/**
 * Merging on eviction (after Token Merging, arXiv 2210.09461, and D2O, arXiv 2406.13035): the values of evicted tokens are
 * folded into the kept ones.
 *
 * Each evicted token e goes to the kept token t of its KV head whose key is most like its own:
 *
 *   w = cos(k_e, k_t) · ‖v_e‖ / (‖v_e‖ + ‖v_t‖),    0 where the cosine is below the threshold
 *   v_t ← (v_t + Σ w v_e) / (1 + Σ w)                keys stay as they are
 */
import * as z from 'zod';
import type { LayerPlan, LayerTrace } from '../../cache/types.js';
import { baseFields, checkBase, methodOfBase } from './base-scorer.js';

const EPSILON = 1e-6;

const params = z
  .strictObject({
    ...baseFields,
    threshold: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('least cosine of two keys whose values are merged, in [0, 1]'),
    fraction: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe('fraction of the evicted tokens that are merged, those most like a kept one; in (0, 1]'),
  })
  .check(checkBase);

type MergeParams = z.infer<typeof params>;

export const merge = methodOfBase<MergeParams>({
  name: 'merge',
  summary: 'folds the values of the tokens that another method evicts into those that it keeps',
  paper: 'arXiv 2210.09461, arXiv 2406.13035; as MergingPress of kvpress',
  stores: 'as the base: keys and merged values of the kept tokens, dense',
  notes: [
    'As in kvpress: what earlier steps of the pipeline have evicted is gone and not merged.',
    'Values that were merged may be quantised; nothing may choose among them afterwards.',
    'The quantile of `fraction` is taken per KV head, the tokens below the threshold counted as the least; a cosine on it is merged.',
  ],
  params,
  observes: [],
  rewrites: ({ ratio }) => (ratio === 0 ? [] : ['values']),
  refine: (chosen, trace, params, before) => ({
    ...chosen,
    values: {
      codec: 'dense',
      contents: chosen.tokens.map((kept, h) => mergedValues(trace, before, kept, h, params)),
    },
  }),
});

/** Values of the kept tokens of KV head h with those of the evicted ones in them, `[n, D]`. */
function mergedValues(
  { keys, values, headDim: D, length: S }: LayerTrace,
  before: LayerPlan,
  kept: Int32Array,
  h: number,
  { threshold, fraction }: MergeParams,
): Float32Array {
  const staying = new Set(kept);
  const evicted = before.tokens[h]!.filter((t) => !staying.has(t));
  const row = (side: Float32Array, t: number): Float32Array =>
    side.subarray((h * S + t) * D, (h * S + t + 1) * D);
  const keptKeys = unitRows(kept, (t) => row(keys, t), D);
  const evictedKeys = unitRows(evicted, (t) => row(keys, t), D);
  const nearest = Array.from(evicted, (_, e) => mostAlike(keptKeys, evictedKeys, e, D));
  const least = quantile(
    nearest.map(({ cosine }) => (cosine >= threshold ? cosine : -Infinity)),
    1 - fraction,
  );
  const sums = new Float64Array(kept.length * D); // Σ w v_e
  const weights = new Float64Array(kept.length); // Σ w
  nearest.forEach(({ index, cosine }, e) => {
    if (cosine < threshold || cosine < least) return;
    const value = row(values, evicted[e]!);
    const own = Math.hypot(...value);
    const weight = (Math.max(0, cosine) * own) / (own + Math.hypot(...row(values, kept[index]!)) + EPSILON);
    weights[index]! += weight;
    for (let j = 0; j < D; j++) sums[index * D + j]! += weight * value[j]!;
  });
  return Float32Array.from(sums, (sum, i) => {
    const index = Math.floor(i / D);
    return (row(values, kept[index]!)[i % D]! + sum) / (1 + weights[index]!);
  });
}

function unitRows(positions: Int32Array, row: (t: number) => Float32Array, D: number): Float32Array {
  const rows = new Float32Array(positions.length * D);
  positions.forEach((t, i) => {
    const key = row(t);
    const norm = Math.max(Math.hypot(...key), EPSILON);
    for (let j = 0; j < D; j++) rows[i * D + j] = key[j]! / norm;
  });
  return rows;
}

/** The kept key with the largest cosine to evicted key e, of equal ones the first. */
function mostAlike(
  kept: Float32Array,
  evicted: Float32Array,
  e: number,
  D: number,
): { readonly index: number; readonly cosine: number } {
  let [index, cosine] = [0, -Infinity];
  for (let i = 0; i * D < kept.length; i++) {
    let dot = 0;
    for (let j = 0; j < D; j++) dot += kept[i * D + j]! * evicted[e * D + j]!;
    if (dot > cosine) [index, cosine] = [i, dot];
  }
  return { index, cosine };
}

/** With linear interpolation, as PyTorch: between −∞ and a number it is −∞. */
function quantile(list: readonly number[], share: number): number {
  const ascending = list.toSorted((a, b) => a - b);
  const at = share * (ascending.length - 1);
  const [low, high] = [ascending[Math.floor(at)] ?? -Infinity, ascending[Math.ceil(at)] ?? -Infinity];
  return low === -Infinity ? -Infinity : low + (at - Math.floor(at)) * (high - low);
}
