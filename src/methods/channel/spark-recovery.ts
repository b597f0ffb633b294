/**
 * SparK's recovery: what attention reads in place of pruned key channels (arXiv 2508.15212, 4.3).
 *
 * A size of saliency is assumed for each pruned entry, and the inverse of w taken of it; the sign is the key's own, −1
 * for 0.
 *   degenerate     μ_t, the mean of w_tj over { j : w_tj < the least kept one }
 *   exponential    D samples of mean max(mean_j w_tj, 1e-5), the largest to the most salient channel and so on
 *   normal         the same with the absolute values of samples of mean mean_j w_tj and the deviation of the w_tj
 *
 * A sample above the least kept saliency is replaced by μ_t (`clip: mean`) or by that saliency (`clip: threshold`).
 */
import type { Fill, LayerTrace } from '../../cache/types.js';
import type { RankedRows } from '../../kernels/ranking.js';
import { drawsFor, exponential, normal } from '../draws.js';
import type { Saliency } from './spark-saliency.js';

/** The channels that one KV head keeps, and what told them apart. */
export interface RankedKeys extends RankedRows {
  readonly saliency: Saliency;
  /** `[n]`, ascending */
  readonly positions: Int32Array;
}

export interface SamplingParams {
  readonly recovery: 'exponential' | 'normal';
  readonly clip: 'mean' | 'threshold';
  readonly seed: number;
}

/** Degenerate recovery: one scale per token, one size per channel. */
export function meanFill({ saliency, below }: RankedKeys): Fill {
  const scale = new Float32Array(below.length);
  for (let t = 0; t < scale.length; t++) scale[t] = saliency.root(below[t]!);
  return { kind: 'signed', scale, channel: saliency.channel };
}

/** Sampled recoveries: the keys of KV head h at the kept positions, pruned entries drawn; `[n, D]`. */
export function sampledKeys(
  trace: LayerTrace,
  h: number,
  { saliency, positions, mask, threshold, below }: RankedKeys,
  params: SamplingParams,
): Float32Array {
  const { headDim: D, keys, layer, length } = trace;
  const w = new Float32Array(D);
  const contents = new Float32Array(mask.length); // [n, D]
  positions.forEach((position, t) => {
    saliency.of(position, w);
    const samples = drawSamples(w, params, drawsFor(params.seed, layer, h, position)); // [D], descending
    const most = threshold[t]!;
    const instead = params.clip === 'mean' ? below[t]! : most;
    const row = (h * length + position) * D;
    byFallingValue(w).forEach((j, rank) => {
      const key = keys[row + j]!;
      const sample = samples[rank]! > most ? instead : samples[rank]!;
      const size = saliency.root(sample) * saliency.channel[j]!;
      contents[t * D + j] = mask[t * D + j] === 1 ? key : key > 0 ? size : -size;
    });
  });
  return contents;
}

/** D samples of the distribution that fits the saliencies of one token, largest first. */
function drawSamples(
  w: Float32Array,
  { recovery }: SamplingParams,
  draws: ReturnType<typeof drawsFor>,
): Float64Array {
  const mean = w.reduce((sum, x) => sum + x, 0) / w.length;
  const deviation = Math.sqrt(w.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (w.length - 1));
  const sample = (): number =>
    recovery === 'normal'
      ? Math.abs(normal(draws, mean, deviation))
      : exponential(draws, Math.max(mean, 1e-5));
  const samples = new Float64Array(w.length);
  for (let j = 0; j < samples.length; j++) samples[j] = sample();
  return samples.sort().reverse();
}

/** Indices of the values, largest first, ties to the lower index. */
function byFallingValue(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (_, j) => j).sort((i, j) => values[j]! - values[i]! || i - j);
}
