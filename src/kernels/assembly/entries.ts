/**
 * Cached numbers of either format: `f32`, or bfloat16 read as `u16`.
 *
 * Decides how they become float32. Widening a bfloat16 is a shift; nothing is rounded here.
 */

// @ts-ignore: decorator
@inline
export function load4<E>(at: usize): v128 {
  if (isFloat<E>()) return v128.load(at);
  return v128.shl<i32>(v128.load_ext<u16>(at), 16);
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
