/**
 * The block: a few cached tokens as float32 rows, for codecs whose rows are written out before they are read.
 *
 * Vectors end in lane sums, and rows need not be multiples of four.
 */

/** Tokens expanded at once. */
export const BLOCK_TOKENS: usize = 8;

/** Writes the first `count` (≥ 1) lanes. */
// @ts-ignore: decorator
@inline
export function storeFirst(at: usize, lanes: v128, count: usize): void {
  if (count >= 4) {
    v128.store(at, lanes);
    return;
  }
  if (count >= 2) v128.store_lane<u64>(at, lanes, 0);
  else v128.store_lane<u32>(at, lanes, 0);
  if (count > 2) v128.store_lane<u32>(at, lanes, 2, 8);
}

/** The lane sums of four vectors as one vector, each (0+2)+(1+3). */
// @ts-ignore: decorator
@inline
export function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = v128.add<f32>(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = v128.add<f32>(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return v128.add<f32>(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}
