/**
 * Cached numbers of either format: `f32`, or bfloat16 read as `u16`.
 *
 * Widening a bfloat16 is a shift; nothing is rounded here. Widening a bfloat16 is a shift; nothing is rounded here.
 */

// @ts-ignore: decorator
@inline
export function load4<E>(at: usize): v128 {
  if (isFloat<E>()) return v128.load(at);
  return v128.shuffle<u16>(i32x4.splat(0), v128.load_zero<u64>(at), 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
export function load1<E>(at: usize): f32 {
  if (isFloat<E>()) return load<f32>(at);
  return reinterpret<f32>(<u32>load<u16>(at) << 16);
}

/** Columns of a float32 row in scratch, padded to whole vectors. */
// @ts-ignore: decorator
@inline
export function padded(width: usize): usize {
  return (width + 3) & ~3;
}
