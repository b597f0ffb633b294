/**
 * The best tokens of all KV heads of a layer together, with a share that each head has for itself.
 *
 * Ties go to the lower head, then to the lower position.
 */
import { indicesOfLargest } from '../select.js';
import { safeFirst, type RankedHead } from '../token/token-method.js';

/**
 * As many tokens as all heads may keep together: what always stays, the ⌊α·keep⌋ best of each head (at least one),
 * and then the best of the layer. Per KV head indices into `held`, ascending.
 */
export function pooledBest(heads: readonly RankedHead[], alpha: number): Int32Array[] {
  const ranked = heads.map((head) => {
    const scores = safeFirst(head); // [n]
    for (const i of indicesOfLargest(scores, Math.max(1, ownShare(head.keep, alpha)))) scores[i] = Infinity;
    return scores;
  });
  return bestOfAll(
    ranked,
    heads.reduce((sum, { keep }) => sum + keep, 0),
  );
}

/** Tokens that a head keeps whatever the others score. */
export function ownShare(keep: number, alpha: number): number {
  return Math.trunc(keep * alpha);
}

/** The `count` largest entries of several lists: per list the indices of its own among them, ascending. */
export function bestOfAll(lists: readonly Float32Array[], count: number): Int32Array[] {
  const pooled = Float32Array.from(lists.flatMap((list) => [...list]));
  const best = indicesOfLargest(pooled, count);
  let start = 0;
  return lists.map(({ length }) => {
    const from = start;
    start += length;
    return best.filter((i) => i >= from && i < from + length).map((i) => i - from);
  });
}
