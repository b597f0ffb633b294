/**
 * ReCalKV's offline value calibration (OVC): the factors of the value projection, adjusted to other activations.
 *
 * Two closed forms alternate, solved for latents of about unit length.
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
 * Latents that the activations of the whitening say nothing of have huge columns in `down`, which would raise the
 * rounding of C above what it says of all others; so the first system is solved for columns of about length 1.
 *
 * @param weight W, `[O, E]`
 * @param gram C of the inputs that the layer sees behind already compressed layers, `[E, E]`
 */
export function calibrateOnce({ down }: Factors, weight: Matrix, gram: Matrix): Factors {
  const scales = rowScales(down.transpose()); // [r]
  const latents = down.transpose().mulColumnVector(scales); // [r, E]
  const seen = timesTransposed(latents, gram); // downᵀ C, [r, E]
  const up = choleskyOf(timesTransposed(seen, latents))
    .solve(timesTransposed(seen, weight))
    .mulColumnVector(scales); // [r, O]
  return { down: choleskyOf(timesTransposed(up, up)).solve(up.mmul(weight)).transpose(), up };
}

/** Per row the power of two, so that nothing is rounded, that brings its length near 1. */
function rowScales(rows: Matrix): number[] {
  return rows.to2DArray().map((row) => 2 ** -Math.round(Math.log2(Math.hypot(...row) || 1)));
}
