/**
 * The arithmetic of quantisation: which tokens are old enough, and the codes of a group (KIVI, arXiv 2402.02750, section
 * 3).
 *
 * All in float32, codes to nearest, ties to even. In bfloat16 the stored minimum is rounded down and the scale up, so
 * that no entry falls outside the range. A constant group reads as its minimum; a group with an entry that is not finite
 * reads as NaN.
 */
import { roundDown } from '../../kernels/entries.js';
import type { CacheDtype, Precision } from '../types.js';

/** Tokens, of n in order, that are quantised: all but the newest that the residual still holds. */
export function settledTokens({ residual, settle }: Precision, n: number): number {
  return settle === 'blocks' ? n - (n % residual) : Math.max(0, n - residual);
}

/** The entries `first, first + step, …`, `count` of them. */
export interface Group {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** What a group's codes stand for, both of the cache's format. */
export interface GroupRange {
  readonly scale: number;
  readonly minimum: number;
}

/** Writes the group's codes to the same places of `codes`. */
export function quantiseGroup(
  entries: Float32Array,
  { first, step, count }: Group,
  bits: number,
  format: CacheDtype,
  codes: Uint8Array,
): GroupRange {
  const end = first + step * count;
  let smallest = Infinity;
  let largest = -Infinity;
  for (let i = first; i < end; i += step) {
    smallest = Math.min(smallest, entries[i]!);
    largest = Math.max(largest, entries[i]!);
  }
  const levels = 2 ** bits - 1;
  const minimum = roundDown(smallest, format);
  const step1 = Math.fround(Math.fround(largest - minimum) / levels);
  const scale = -roundDown(-step1, format);
  for (let i = first; i < end; i += step) {
    const steps = scale === 0 ? 0 : Math.fround(Math.fround(entries[i]! - minimum) / scale);
    codes[i] = Math.min(levels, nearest(steps));
  }
  return { scale, minimum };
}

/** To nearest, ties to even; x is a float32 number of at least 0 and below 2^22. */
function nearest(x: number): number {
  return Math.fround(x + 2 ** 23) - 2 ** 23;
}
