/**
 * Channel saliency of single tokens as a picture.
 *
 * After Figure 2 of arXiv 2508.15212: which channels matter differs from token to token, so a mask per token loses less
 * than one for all.
 */
import type { LayerTrace } from '../../cache/types.js';
import { windowQueries } from '../../methods/observations.js';
import { markLargest } from '../../methods/select.js';
import { Saliency, type SaliencyParams } from '../../methods/channel/spark-saliency.js';
import { prefill } from '../../model/prefill.js';
import type { Transformer } from '../../model/transformer.js';
import { UserError } from '../../base/errors.js';

/** As the released code ranks channels. */
const RANKING: SaliencyParams = { window: 32, saliency: 'released', reduce: 'l2' };

/** Which head, and of what to keep. */
export interface SaliencyRequest {
  /** From 0. */
  readonly layer: number;
  /** KV head, from 0. */
  readonly head: number;
  /** Fraction of the channels that each token would lose, in [0, 1). */
  readonly ratio: number;
  /** Most tokens to give in full; at least 1. */
  readonly rows: number;
}

export interface HeadSaliency {
  /** S */
  readonly promptTokens: number;
  /** Of the tokens in `saliency`, ascending. */
  readonly positions: number[];
  /** w, `[tokens][D]`. */
  readonly saliency: number[][];
  /** Share of all S tokens that keep a channel when each keeps its own best, `[D]`. */
  readonly keptShare: number[];
  /** Standard deviation over mean of a channel's saliency over all S tokens, mean over the channels that have any. */
  readonly variation: number;
}

/**
 * Prefills a prompt and measures one head.
 *
 * @throws UserError (exit code 2) where the model has no such layer or head
 */
export async function measureSaliency(
  model: Transformer,
  ids: readonly number[],
  request: SaliencyRequest,
): Promise<HeadSaliency> {
  const { layers, kvHeads } = model.config;
  expectBelow('--layer', request.layer, layers);
  expectBelow('--head', request.head, kvHeads);
  let found: HeadSaliency | undefined;
  await prefill(model, {
    ids,
    observations: [windowQueries(RANKING.window)],
    onLayer: (trace) => {
      if (trace.layer === request.layer) found = headSaliency(trace, request);
    },
  });
  return found!;
}

/** The saliency of one head of a trace that has the window's queries. */
export function headSaliency(
  trace: LayerTrace,
  { head, ratio, rows }: Omit<SaliencyRequest, 'layer'>,
): HeadSaliency {
  const { length: S, headDim: D } = trace;
  const saliency = new Saliency(trace, RANKING, head);
  const kept = D - Math.floor(ratio * D);
  const row = new Float32Array(D);
  const scratch = new Float32Array(D);
  const keptTokens = new Float64Array(D);
  const moments = { sum: new Float64Array(D), squares: new Float64Array(D) };
  const positions = spread(S, rows);
  const shown: number[][] = [];
  for (let t = 0; t < S; t++) {
    saliency.of(t, row);
    const mask = new Uint8Array(D);
    markLargest(row, kept, mask, 0, scratch);
    for (let j = 0; j < D; j++) {
      keptTokens[j]! += mask[j]!;
      moments.sum[j]! += row[j]!;
      moments.squares[j]! += row[j]! ** 2;
    }
    if (positions[shown.length] === t) shown.push([...row]);
  }
  return {
    promptTokens: S,
    positions,
    saliency: shown,
    keptShare: Array.from(keptTokens, (n) => n / S),
    variation: meanVariation(moments, S),
  };
}

function meanVariation({ sum, squares }: { sum: Float64Array; squares: Float64Array }, n: number): number {
  const ratios = [...sum].flatMap((total, j) => {
    const mean = total / n;
    return mean === 0 ? [] : [Math.sqrt(Math.max(0, squares[j]! / n - mean ** 2)) / mean];
  });
  return ratios.length === 0 ? 0 : ratios.reduce((a, b) => a + b, 0) / ratios.length;
}

/** At most `count` of 0 … length − 1, evenly spaced, the first and the last among them where there is room. */
function spread(length: number, count: number): number[] {
  if (count >= length) return Array.from({ length }, (_, t) => t);
  if (count === 1) return [0];
  return Array.from({ length: count }, (_, i) => Math.floor((i * (length - 1)) / (count - 1)));
}

function expectBelow(place: string, value: number, limit: number): void {
  if (value < limit) return;
  throw new UserError(`expected a whole number from 0 to ${limit - 1}, got ${value}`, { place, exitCode: 2 });
}
