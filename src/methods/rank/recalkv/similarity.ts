/**
 * How alike the key projections of two KV heads are: linear CKA of their whitened slices.
 *
 * Head reordering walks along it.
 */
import { Matrix } from 'ml-matrix';
import { timesTransposed } from './matrices.js';

/**
 * CKA between all KV heads (paper section 3.2, HSR; released code `compute_cka`).
 *
 * The slice of head a is M_a = (W_a S)ᵀ, `[E, D]`, its columns centred over the whitened coordinates; then
 * CKA(a, b) = ‖M_aᵀM_b‖² / (‖M_aᵀM_a‖·‖M_bᵀM_b‖) with Frobenius norms, which is the released quotient of HSICs
 * without its `[E, E]` kernels. A head whose slice is constant is like no other: 0.
 *
 * @param weight key projection, `[KV·D, E]`
 * @param root whitening matrix S, `[E, E]`
 * @returns `[KV, KV]`, symmetric, in [0, 1]
 */
export function headSimilarity(weight: Matrix, root: Matrix, kvHeads: number): Matrix {
  const whitened = timesTransposed(weight, root.transpose()); // [KV·D, E]
  const centred = whitened.subColumnVector(whitened.mean('row'));
  const products = timesTransposed(centred, centred); // [KV·D, KV·D]
  const D = weight.rows / kvHeads;
  const squares = Matrix.zeros(kvHeads, kvHeads);
  for (let i = 0; i < products.rows; i++) {
    for (let j = 0; j < products.columns; j++) {
      const a = Math.floor(i / D);
      const b = Math.floor(j / D);
      squares.set(a, b, squares.get(a, b) + products.get(i, j) ** 2);
    }
  }
  const similarity = new Matrix(kvHeads, kvHeads);
  for (let a = 0; a < kvHeads; a++) {
    for (let b = 0; b < kvHeads; b++) {
      const norms = Math.sqrt(squares.get(a, a) * squares.get(b, b));
      similarity.set(a, b, norms > 0 ? squares.get(a, b) / norms : 0);
    }
  }
  return similarity;
}
