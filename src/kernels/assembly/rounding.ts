/**
 * float32 → bfloat16: to nearest, ties to even; NaN stays NaN.
 *
 * Ties go by the exact value of the double, to the even neighbour (3.125 → 3.12, 9.375 → 9.38), where `toFixed` takes
 * the larger (3.13). Reads up to 28 bytes past the last number, and writes up to 14 past the last entry.
 */

/** Four numbers, as bits → their entries, one in each lane. */
// @ts-ignore: decorator
@inline
export function round(bits: v128): v128 {
  const cut = v128.shr<u32>(bits, 16);
  const up = v128.add<i32>(v128.and(cut, i32x4.splat(1)), i32x4.splat(0x7fff));
  const nearest = v128.shr<u32>(v128.add<i32>(bits, up), 16);
  const isNan = v128.gt<i32>(v128.and(bits, i32x4.splat(0x7fff_ffff)), i32x4.splat(0x7f80_0000));
  return v128.bitselect(v128.or(cut, i32x4.splat(0x40)), nearest, isNan);
}

/** `to[i] = from[i]`, `count` of them. */
export function roundToHalves(from: usize, count: usize, to: usize): void {
  for (const end = from + (count << 2); from < end; from += 32, to += 16) {
    const low = round(v128.load(from));
    const high = round(v128.load(from, 16));
    v128.store(to, v128.narrow<u32>(low, high));
  }
}
