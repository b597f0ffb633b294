/**
 * Cached numbers eight at a time, as two float32 vectors.
 *
 * Decides which go where, because unpacking must cost next to nothing: float32 entries 0–3 and 4–7; bfloat16 ones are
 * read as four words, whose lower halves are entries 0, 2, 4, 6 and whose upper halves are entries 1, 3, 5, 7.
 */

/** Upper halves of four words; read from memory, as a constant would be made anew in every loop. */
const UPPER: usize = memory.data<u32>([0xffff0000, 0xffff0000, 0xffff0000, 0xffff0000], 16);

// @ts-ignore: decorator
@inline
export function upperHalves(): v128 {
  return v128.load(UPPER);
}

/** The first vector of the entries whose first 16 bytes are `raw`. */
// @ts-ignore: decorator
@inline
export function first<E>(raw: v128): v128 {
  return isFloat<E>() ? raw : v128.shl<i32>(raw, 16);
}

/** The second vector of the entries at `at`. */
// @ts-ignore: decorator
@inline
export function second<E>(raw: v128, at: usize, upper: v128): v128 {
  return isFloat<E>() ? v128.load(at, 16) : v128.and(raw, upper);
}

/** Eight float32 numbers in order, `a` then `b` → the first vector. */
// @ts-ignore: decorator
@inline
export function splitFirst<E>(a: v128, b: v128): v128 {
  return isFloat<E>() ? a : v128.shuffle<f32>(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
export function splitSecond<E>(a: v128, b: v128): v128 {
  return isFloat<E>() ? b : v128.shuffle<f32>(a, b, 1, 3, 5, 7);
}

/** The two vectors → the first four numbers in order. */
// @ts-ignore: decorator
@inline
export function joinFirst<E>(a: v128, b: v128): v128 {
  return isFloat<E>() ? a : v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

// @ts-ignore: decorator
@inline
export function joinSecond<E>(a: v128, b: v128): v128 {
  return isFloat<E>() ? b : v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}
