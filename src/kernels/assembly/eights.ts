/**
 * Cached numbers eight at a time, as two float32 vectors in order.
 *
 * bfloat16 ones are read as eight halves and interleaved with zeros, which is one instruction a vector. Reads 16 bytes,
 * whatever follows the entries.
 */

/** Upper halves of four words; read from memory, as a constant would be made anew in every loop. */
const UPPER: usize = memory.data<u32>([0xffff0000, 0xffff0000, 0xffff0000, 0xffff0000], 16);

// @ts-ignore: decorator
@inline
export function upperHalves(): v128 {
  return v128.load(UPPER);
}

/** The entries 0–3 of those whose first 16 bytes are `raw`. */
// @ts-ignore: decorator
@inline
export function first<E>(raw: v128): v128 {
  return isFloat<E>() ? raw : v128.shuffle<u16>(i32x4.splat(0), raw, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** The entries 4–7 of those at `at`, whose first 16 bytes are `raw`. */
// @ts-ignore: decorator
@inline
export function second<E>(raw: v128, at: usize): v128 {
  return isFloat<E>() ? v128.load(at, 16) : v128.shuffle<u16>(i32x4.splat(0), raw, 4, 12, 5, 13, 6, 14, 7, 15);
}
