/**
 * Byte counts of caches: sums of what exists, and two figures to compare them with.
 *
 * Decides how those two are counted. Measured parts come from the caches themselves (`LayerCache.bytes`).
 */
import { entryBytes } from '../kernels/entries.js';
import type { ByteParts, CacheDtype, LayerPlan, LayerShape, SidePlan } from './types.js';

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

/**
 * Bytes of one layer by the paper's own accounting: kept entries at the width of the cache's format. Masks,
 * signs and scales count as nothing.
 */
export function paperBytes(shape: Pick<LayerShape, 'headDim'>, plan: LayerPlan, dtype: CacheDtype): number {
  let entries = 0;
  plan.tokens.forEach(({ length }, head) => {
    entries += keptEntries(plan.keys, head, length, shape.headDim);
    entries += keptEntries(plan.values, head, length, shape.headDim);
  });
  return entries * entryBytes(dtype);
}

function keptEntries(side: SidePlan, head: number, tokens: number, width: number): number {
  switch (side.codec) {
    case 'dense':
      return tokens * width;
    case 'channels': {
      const recent = Math.min(side.recent, tokens);
      return (tokens - recent) * countKept(side.masks[head]!) + recent * width;
    }
    case 'sparse':
      return countKept(side.heads[head]!.mask);
  }
}

/** Ones of a 0/1 mask. */
export function countKept(mask: Uint8Array): number {
  let kept = 0;
  for (let i = 0; i < mask.length; i++) kept += mask[i]!;
  return kept;
}
