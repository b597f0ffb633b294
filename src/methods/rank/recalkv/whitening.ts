/**
 * ReCalKV's whitening matrix S: a square root of the Gram matrix of a layer's inputs, C = Σ XᵀX = S Sᵀ.
 *
 * Any root gives the same factors; only the similarity of heads, which centres over the whitened coordinates, tells them
 * apart. Any gives the same factors; only the similarity of heads, which centres over the whitened coordinates, tells
 * them apart.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { choleskyOf } from './matrices.js';

/** `svd`: U √Σ of C's singular value decomposition, as released; `cholesky`: the triangular factor, as in Palu. */
export type Whitening = 'svd' | 'cholesky';

/**
 * S with S Sᵀ = C (paper section 3.2; released code `get_whiten_scale_matrix_v2` and, of Palu, `_v1`).
 *
 * The signs of the columns of U are free, and whatever the LAPACK at hand made of them went into the published
 * grouping; here the entry of the largest magnitude is positive. A singular C needs no help in the svd form and gets
 * the smallest ridge that makes it positive definite in the other.
 *
 * @param gram C, `[E, E]`, positive semidefinite
 * @returns S, `[E, E]`
 */
export function whiteningRoot(gram: Matrix, whitening: Whitening): Matrix {
  if (whitening === 'cholesky') return choleskyOf(gram).lowerTriangularMatrix;
  const { eigenvectorMatrix: vectors, realEigenvalues } = new EigenvalueDecomposition(gram, {
    assumeSymmetric: true,
  });
  const falling = realEigenvalues.map((_, i) => i).sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!);
  const root = new Matrix(gram.rows, gram.rows);
  falling.forEach((from, to) => {
    const u = vectors.getColumnVector(from); // [E, 1]
    const [row, column] = u.clone().abs().maxIndex();
    const sign = u.get(row, column) < 0 ? -1 : 1;
    root.setColumn(to, u.mul(sign * Math.sqrt(Math.max(realEigenvalues[from]!, 0))));
  });
  return root;
}
