/**
 * The best low-rank factors of a projection for the inputs it was seen with: whitened truncated SVD.
 *
 * Whitening makes the truncation optimal for these inputs.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { timesTransposed } from './matrices.js';

/** Wᵀ ≈ down · up. */
export interface Factors {
  readonly down: Matrix; // [E, r]
  readonly up: Matrix; // [r, O]
}

/** Singular values below this fraction of the largest are raised to it where they scale the two factors. */
const SMALLEST_SCALE = 1e-7;

/**
 * The factors that minimise ‖X (down·up − Wᵀ)‖_F for C = Σ XᵀX (paper section 3.1; released code
 * `_per_head_whiten_decomposition_from_weight`).
 *
 * With S Sᵀ = C and W S = U Σ Vᵀ the released factors are upᵀ = U_r √Σ_r and downᵀ = √Σ_r V_rᵀ S⁻¹. Since
 * Σ_r V_rᵀ S⁻¹ = U_rᵀ W, neither S nor its inverse is needed: U and Σ² are the eigenvectors and eigenvalues of
 * W S Sᵀ Wᵀ = W C Wᵀ. A singular C is no special case, and at full rank W is rebuilt whatever C is.
 *
 * @param weight W, `[O, E]`
 * @param gram C, `[E, E]`, positive semidefinite
 * @param rank r, 1 … O; throws an Error outside
 */
export function whitenedSvd(weight: Matrix, gram: Matrix, rank: number): Factors {
  if (!Number.isInteger(rank) || rank < 1 || rank > weight.rows) {
    throw new Error(`rank ${rank} of a projection with ${weight.rows} outputs`);
  }
  const seen = timesTransposed(weight, gram); // W C, [O, E]
  const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(timesTransposed(seen, weight), {
    assumeSymmetric: true,
  });
  const falling = realEigenvalues
    .map((_, i) => i)
    .sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!)
    .slice(0, rank);
  const singular = falling.map((i) => Math.sqrt(Math.max(realEigenvalues[i]!, 0)));
  const floor = singular[0]! * SMALLEST_SCALE || 1;
  const scales = singular.map((sigma) => Math.sqrt(Math.max(sigma, floor)));
  const u = eigenvectorMatrix.subMatrixColumn(falling); // [O, r]
  return {
    down: weight.transpose().mmul(u).divRowVector(scales),
    up: u.mulRowVector(scales).transpose(),
  };
}
