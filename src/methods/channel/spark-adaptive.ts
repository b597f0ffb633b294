/**
 * SparK-p and SparK-g (arXiv 2508.15212): tokens whose saliency sits in few channels keep few channels.
 *
 * i* is the first rank at which the sum over the channels so far, most salient first, exceeds a share of the whole. i*
 * is the first rank at which the sum over the channels so far, most salient first, is above a share of the sum over all
 * of them.
 *
 *   p    the channels of ranks 0 … i*
 *   g4   ⌊D/4⌋, ⌊D/2⌋, ⌊3D/4⌋ or D channels, as i* ≤ ⌊D/4⌋, ⌊D/2⌋, ⌊3D/4⌋ or above
 *   g5   ⌊0.1·D⌋, ⌊0.3·D⌋ … ⌊0.9·D⌋ channels, as i* ≤ ⌊0.2·D⌋, ⌊0.4·D⌋ … or above
 */

export type Adaptive = 'p' | 'g4' | 'g5';

/** Groups of tokens by i*, as shares of D; i* above the last bound belongs to the last group. */
const GROUPS = {
  g4: { upTo: [0.25, 0.5, 0.75], keep: [0.25, 0.5, 0.75, 1] },
  g5: { upTo: [0.2, 0.4, 0.6, 0.8], keep: [0.1, 0.3, 0.5, 0.7, 0.9] },
} as const;

/**
 * T of one token, 1 to D.
 *
 * @param saliency w, `[D]`, not negative
 * @param share of the saliency, in (0, 1)
 * @param scratch `[D]`, overwritten
 */
export function adaptiveCount(
  saliency: Float32Array,
  adaptive: Adaptive,
  share: number,
  scratch: Float32Array,
): number {
  const width = saliency.length; // D
  const last = firstRankAbove(saliency, share, scratch); // i*
  if (adaptive === 'p') return last + 1;
  const { upTo, keep } = GROUPS[adaptive];
  const group = upTo.findIndex((bound) => last <= Math.trunc(bound * width));
  return Math.max(1, Math.trunc(keep.at(group)! * width));
}

/** i*; 0 where all is 0. */
function firstRankAbove(saliency: Float32Array, share: number, scratch: Float32Array): number {
  scratch.set(saliency);
  scratch.sort();
  const total = scratch.reduce((sum, w) => sum + w, 0);
  let sum = 0;
  for (let rank = 0; rank < scratch.length; rank++) {
    sum += scratch[scratch.length - 1 - rank]!;
    if (sum > share * total) return rank;
  }
  return 0;
}
