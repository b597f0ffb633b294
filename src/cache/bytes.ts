/**
 * Byte counts of caches: sums of what exists, and two figures to compare them with.
 *
 * Measured parts come from the caches themselves (`LayerCache.bytes`); a full cache and the paper's own count stand
 * beside them.
 */
import { entryBytes } from '../kernels/entries.js';
import { wordsOf } from './encode/pack-bits.js';
import { settledTokens } from './encode/quantise.js';
import { heldTokens } from './plan.js';
import type { ByteParts, CacheDtype, LayerPlan, LayerShape, LayerTrace, SidePlan } from './types.js';

export const NO_BYTES: ByteParts = { value: 0, mask: 0, sign: 0, scale: 0, index: 0, latent: 0 };

/** Part by part. */
export function addBytes(a: ByteParts, b: ByteParts): ByteParts {
  return {
    value: a.value + b.value,
    mask: a.mask + b.mask,
    sign: a.sign + b.sign,
    scale: a.scale + b.scale,
    index: a.index + b.index,
    latent: a.latent + b.latent,
  };
}

/** All parts together. */
export function sumBytes(parts: ByteParts): number {
  return parts.value + parts.mask + parts.sign + parts.scale + parts.index + parts.latent;
}

/** Bytes of one layer's whole prompt as a dense cache, keys and values. */
export function fullBytes(
  shape: Pick<LayerShape, 'kvHeads' | 'headDim' | 'length'>,
  dtype: CacheDtype,
): number {
  return 2 * shape.kvHeads * shape.length * shape.headDim * entryBytes(dtype);
}

/** The same of a whole model: sliding layers hold their window. */
export function fullCacheBytes(
  shape: Pick<LayerShape, 'kvHeads' | 'headDim' | 'length'>,
  windows: readonly (number | undefined)[],
  dtype: CacheDtype,
): number {
  return windows.reduce<number>(
    (total, window) => total + fullBytes({ ...shape, length: heldTokens(shape.length, window) }, dtype),
    0,
  );
}

/**
 * Bytes of one layer by the papers' own accounting: kept entries at the width of the cache's format, or of their
 * codes. Masks, signs, scales, and what eviction while decoding remembers, count as nothing.
 */
export function paperBytes(
  trace: Pick<LayerTrace, 'headDim' | 'heads' | 'kvHeads' | 'lowRank'>,
  plan: LayerPlan,
  dtype: CacheDtype,
): number {
  const cap = plan.decode?.budget ?? Infinity;
  const tokens = plan.tokens.map(({ length }) => Math.min(length, cap));
  const bits = (['keys', 'values'] as const).flatMap((name) => {
    const { precision } = plan[name];
    return keptRuns(trace, plan[name], name, tokens).map(({ length, entries }) => {
      const quantised = precision === undefined ? 0 : entries(settledTokens(precision, length));
      return quantised * (precision?.bits ?? 0) + (entries(length) - quantised) * 8 * entryBytes(dtype);
    });
  });
  return Math.round(bits.reduce((total, more) => total + more, 0) / 8);
}

/** Tokens that are stored one after the other. */
interface Run {
  readonly length: number;
  /** Entries of the oldest t of them. */
  readonly entries: (t: number) => number;
}

/** One side: a run per KV head, or per group of heads that share their latents. */
function keptRuns(
  { headDim: D, heads: H, kvHeads: KV, lowRank }: Parameters<typeof paperBytes>[0],
  side: SidePlan,
  name: 'keys' | 'values',
  tokens: readonly number[],
): Run[] {
  switch (side.codec) {
    case 'dense':
      return tokens.map((length) => ({ length, entries: (t) => t * D }));
    case 'latent':
      return lowRank![name].map(({ heads, rank }) => ({
        length: Math.max(...heads.map((head) => tokens[head]!)),
        entries: (t) => t * rank,
      }));
    case 'channels':
      return tokens.map((length, head) => {
        const narrow =
          side.precision?.settle === 'blocks'
            ? settledTokens(side.precision, length)
            : Math.max(0, length - side.recent);
        const mine = side.queryMasks?.slice((head * H) / KV, ((head + 1) * H) / KV) ?? [side.masks[head]!];
        const channels = mine.reduce((total, mask) => total + countKept(mask), 0) / mine.length;
        return { length, entries: (t) => Math.min(t, narrow) * channels + Math.max(0, t - narrow) * D };
      });
    case 'sparse':
      return tokens.map((length, head) => ({
        length,
        entries: (t) => countKept(side.heads[head]!.mask.subarray(0, t * D)),
      }));
  }
}

/** Ones of a 0/1 mask. */
export function countKept(mask: Uint8Array): number {
  const words = wordsOf(mask);
  let kept = 0;
  for (let from = 0; from < words.length; from += MOST_WORDS) {
    const end = Math.min(words.length, from + MOST_WORDS);
    let sums = 0; // four, of a byte each
    for (let word = from; word < end; word++) sums += words[word]!;
    kept += (sums & 0xff) + ((sums >> 8) & 0xff) + ((sums >> 16) & 0xff) + (sums >> 24);
  }
  for (let i = 4 * words.length; i < mask.length; i++) kept += mask[i]!;
  return kept;
}

/** Words of 0 and 1 whose bytes can be added up without running over, sign included. */
const MOST_WORDS = 127;
