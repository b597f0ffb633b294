/**
 * The score of SnapKV (arXiv 2404.14469), which PyramidKV shares.
 *
 * Pooled along the positions and averaged over the query heads of the group, in the order of kvpress or of the methods'
 * own later code.
 */
import * as z from 'zod';
import type { LayerTrace } from '../../cache/types.js';
import { observed, windowAttention, windowField } from '../observations.js';

export const snapFields = {
  window: windowField
    .default(64)
    .describe(
      'observation window: last tokens of the prompt, which score the others and always stay; 1 to 1024',
    ),
  kernel: z
    .int()
    .min(1)
    .max(1023)
    .refine((kernel) => kernel % 2 === 1, 'expected an odd number')
    .default(5)
    .describe('width of the pooling along the positions; odd, 1 to 1023, 1 = none'),
  pool: z.enum(['average', 'maximum']).default('average').describe('pooling along the positions'),
  group: z
    .enum(['pooled', 'mean'])
    .default('pooled')
    .describe(
      'pooled: each query head is pooled, then their mean taken (kvpress); mean: pooled after the mean (KVCache-Factory); no difference for averages',
    ),
};

export interface SnapParams {
  readonly window: number;
  readonly kernel: number;
  readonly pool: 'average' | 'maximum';
  readonly group: 'pooled' | 'mean';
}

/** `[KV, S]`; 0 in the window. Computed once per layer, whoever asks. */
export function snapScores(trace: LayerTrace, params: SnapParams): Float32Array {
  const { window, kernel, pool, group } = params;
  return trace.once(`snap ${window} ${kernel} ${pool} ${group}`, () => computeScores(trace, params));
}

function computeScores(trace: LayerTrace, { window, kernel, pool, group }: SnapParams): Float32Array {
  const { kvHeads, heads, length: S } = trace;
  const G = heads / kvHeads;
  const attention = observed(trace, windowAttention(window)); // [H, S]
  const ranked = Math.max(0, S - window);
  const pooled = pool === 'average' ? averagePooled : maximumPooled;
  const scores = new Float32Array(kvHeads * S);
  for (let h = 0; h < kvHeads; h++) {
    const rows = Array.from({ length: G }, (_, g) => {
      const from = (h * G + g) * S;
      return Float64Array.from(attention.subarray(from, from + ranked));
    });
    const row =
      group === 'mean' ? pooled(meanOf(rows), kernel) : meanOf(rows.map((one) => pooled(one, kernel)));
    scores.set(row, h * S);
  }
  return scores;
}

function meanOf(rows: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let t = 0; t < mean.length; t++) mean[t]! += row[t]!;
  for (let t = 0; t < mean.length; t++) mean[t]! /= rows.length;
  return mean;
}

/** Beyond the ends the pooling sees zeros, and still divides by its full width. */
function averagePooled(row: Float64Array, kernel: number): Float64Array {
  const reach = (kernel - 1) / 2;
  const pooled = new Float64Array(row.length);
  for (let t = 0; t < row.length; t++) {
    const end = Math.min(row.length - 1, t + reach);
    let sum = 0;
    for (let near = Math.max(0, t - reach); near <= end; near++) sum += row[near]!;
    pooled[t] = sum / kernel;
  }
  return pooled;
}

function maximumPooled(row: Float64Array, kernel: number): Float64Array {
  const reach = (kernel - 1) / 2;
  const pooled = new Float64Array(row.length);
  for (let t = 0; t < row.length; t++) {
    const end = Math.min(row.length - 1, t + reach);
    let most = -Infinity;
    for (let near = Math.max(0, t - reach); near <= end; near++) most = Math.max(most, row[near]!);
    pooled[t] = most;
  }
  return pooled;
}
