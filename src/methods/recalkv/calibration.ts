/**
 * ReCalKV's offline value calibration (OVC): the factors of the value projection, adjusted to other activations.
 *
 * Decides the alternation of two closed forms. Knows nothing of where the activations come from.
 */
import type { Matrix } from 'ml-matrix';
import { choleskyOf, timesTransposed } from './matrices.js';
import type { Factors } from './svd.js';

/**
 * One alternation: `up` by least squares on the activations with `down` fixed, then `down` with `up` fixed (paper
 * equations 7 and 8; released code `_per_head_whiten_update_decomposition_from_weight`).
 *
 *     up   = argmin ‖X·down·up − X·Wᵀ‖_F = (downᵀ C down)⁻¹ downᵀ C Wᵀ
 *     down = Wᵀ · pinv(up)               = Wᵀ upᵀ (up upᵀ)⁻¹
 *
 * Both are exact minimisers of ‖X (down·up − Wᵀ)‖_F in one factor, and the whitened SVD is already the minimiser in
 * both for its own C, so OVC changes something only where C differs from the whitening's. Only C = Σ XᵀX of the
 * activations enters; a system that is singular gets the smallest ridge that makes it solvable.
 *
 * @param weight W, `[O, E]`
 * @param gram C of the inputs that the layer sees behind already compressed layers, `[E, E]`
 */
export function calibrateOnce({ down }: Factors, weight: Matrix, gram: Matrix): Factors {
  const latents = down.transpose(); // [r, E]
  const seen = timesTransposed(latents, gram); // downᵀ C, [r, E]
  const up = choleskyOf(timesTransposed(seen, latents)).solve(timesTransposed(seen, weight)); // [r, O]
  return { down: choleskyOf(timesTransposed(up, up)).solve(up.mmul(weight)).transpose(), up };
}
