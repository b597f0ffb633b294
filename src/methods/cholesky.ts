/**
 * Leverage of rows: xᵀ(G)⁻¹x by a Cholesky factor, for the small Gram matrices of sketches and values.
 */

/** The lower factor L of a symmetric positive definite matrix `[n, n]`, row-major; undefined where it is not one. */
export function choleskyOf(matrix: Float64Array, n: number): Float64Array | undefined {
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= factor[i * n + k]! * factor[j * n + k]!;
      if (i === j) {
        if (!(sum > 0)) return undefined;
        factor[i * n + i] = Math.sqrt(sum);
      } else factor[i * n + j] = sum / factor[j * n + j]!;
    }
  }
  return factor;
}

/** xᵀ(LLᵀ)⁻¹x of the vector at `offset`: the square of L⁻¹x. `scratch [n]` is overwritten. */
export function leverageOf(
  factor: Float64Array,
  n: number,
  x: ArrayLike<number>,
  offset: number,
  scratch: Float64Array,
): number {
  let leverage = 0;
  for (let i = 0; i < n; i++) {
    let sum = x[offset + i]!;
    for (let k = 0; k < i; k++) sum -= factor[i * n + k]! * scratch[k]!;
    scratch[i] = sum / factor[i * n + i]!;
    leverage += scratch[i]! ** 2;
  }
  return leverage;
}

/** Σ_t w_t x_t x_tᵀ of n vectors of width D, `[D, D]`, symmetric. */
export function gramOf(x: ArrayLike<number>, D: number, weights?: ArrayLike<number>): Float64Array {
  const gram = new Float64Array(D * D);
  for (let t = 0; t * D < x.length; t++) {
    const weight = weights?.[t] ?? 1;
    for (let i = 0; i < D; i++) {
      const scaled = weight * x[t * D + i]!;
      for (let j = 0; j <= i; j++) gram[i * D + j]! += scaled * x[t * D + j]!;
    }
  }
  for (let i = 0; i < D; i++) for (let j = 0; j < i; j++) gram[j * D + i] = gram[i * D + j]!;
  return gram;
}
