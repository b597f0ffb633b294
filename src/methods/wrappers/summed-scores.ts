/**
 * One score per position for all KV heads of a layer, where a method keeps the same tokens in each.
 */
import type { RankedHead } from '../token/token-method.js';

/**
 * Sum over the KV heads that hold a position, `[S]`; NaN where none does. What the base always keeps counts as the
 * layer's largest score and 1, as in kvpress.
 */
export function summedScores(heads: readonly Omit<RankedHead, 'keep'>[], S: number): Float64Array {
  let largest = -Infinity;
  for (const { scores, safe } of heads) {
    scores.forEach((score, i) => (largest = safe[i] === 1 ? largest : Math.max(largest, score)));
  }
  const padding = largest === -Infinity ? 1 : largest + 1;
  const summed = new Float64Array(S).fill(NaN);
  for (const { held, scores, safe } of heads) {
    held.forEach((t, i) => {
      const score = safe[i] === 1 ? padding : scores[i]!;
      summed[t] = Number.isNaN(summed[t]) ? score : summed[t]! + score;
    });
  }
  return summed;
}

/** A stretch of positions. */
export interface Chunk {
  /** Held by some KV head, ascending; at least one. */
  readonly positions: readonly number[];
  /** Of each. */
  readonly scores: readonly number[];
  readonly mean: number;
}

/** The chunks of `length` positions that hold tokens; the last one may be shorter. */
export function chunksOf(summed: Float64Array, length: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = 0; start < summed.length; start += length) {
    const end = Math.min(summed.length, start + length);
    const positions = Array.from({ length: end - start }, (_, i) => start + i).filter(
      (t) => !Number.isNaN(summed[t]),
    );
    if (positions.length === 0) continue;
    const scores = positions.map((t) => summed[t]!);
    chunks.push({ positions, scores, mean: scores.reduce((a, b) => a + b, 0) / scores.length });
  }
  return chunks;
}

/** Per KV head the indices into `held` of the given positions. */
export function indicesHeld(
  heads: readonly Pick<RankedHead, 'held'>[],
  kept: ReadonlySet<number>,
): Int32Array[] {
  return heads.map(({ held }) => held.map((_, i) => i).filter((i) => kept.has(held[i]!)));
}
