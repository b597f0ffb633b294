/**
 * Multiply-adds.
 *
 * The sources are compiled twice: with relaxed SIMD they round once, where the processor has an instruction for that
 * (`fusedProbe` tells); without, twice, on every machine. Scores, exponentials, weighted sums and rebuilt rows go
 * through here; codes and rotations are rounded twice in both.
 */

/** `x · y + sum` */
// @ts-ignore: decorator
@inline
export function multiplyAdd(sum: v128, x: v128, y: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<f32>(x, y, sum);
  return v128.add<f32>(sum, v128.mul<f32>(x, y));
}

/** `sum − x · y` */
// @ts-ignore: decorator
@inline
export function multiplySubtract(sum: v128, x: v128, y: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_nmadd<f32>(x, y, sum);
  return v128.sub<f32>(sum, v128.mul<f32>(x, y));
}

/** `x · y + sum` as the kernels compute it, of numbers that show whether it rounds once. */
export function fusedProbe(x: f32, y: f32, sum: f32): f32 {
  return v128.extract_lane<f32>(multiplyAdd(f32x4.splat(sum), f32x4.splat(x), f32x4.splat(y)), 0);
}
