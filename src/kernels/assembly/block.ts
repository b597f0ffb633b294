/**
 * The block: a few cached tokens as float32 rows, and what attention does with them.
 *
 * Decides the order of summation, and with it the bits of a result:
 *  - a score sums its products by lane (channel mod 4) in ascending order, then the lanes as (0+2)+(1+3);
 *  - an output entry sums its products over the tokens in ascending order.
 * Neither depends on how many query rows or tokens share a call. Does not know how the rows were packed.
 * Alphabet: R query rows, D row width; row r belongs to new token ⌊r / group⌋.
 */
import { padded } from './entries';

/** Tokens expanded at once; a multiple of 4. */
export const BLOCK_TOKENS: usize = 8;

/** `[BLOCK_TOKENS, padded(D ≤ 256)]` float32. Rows past the tokens of a block hold leftovers that nobody stores. */
export const BLOCK: usize = memory.data(8 * 256 * 4, 16);

/** Writes the first `count` (≥ 1) lanes. */
// @ts-ignore: decorator
@inline
export function storeFirst(at: usize, lanes: v128, count: usize): void {
  if (count >= 4) {
    v128.store(at, lanes);
    return;
  }
  v128.store_lane<f32>(at, lanes, 0);
  if (count > 1) v128.store_lane<f32>(at, lanes, 1, 4);
  if (count > 2) v128.store_lane<f32>(at, lanes, 2, 8);
}

/** The lane sums of four vectors as one vector. */
// @ts-ignore: decorator
@inline
function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = v128.add<f32>(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = v128.add<f32>(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return v128.add<f32>(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** `out[r, b] = queries[r] · block[b]`; queries `[R, padded(D)]`, zero in the padding; `stride` of out in entries. */
export function scoreBlock(count: usize, width: usize, queries: usize, rows: usize, out: usize, stride: usize): void {
  const rowBytes = padded(width) << 2;
  for (let r: usize = 0; r < rows; r++) {
    const query = queries + r * rowBytes;
    for (let b: usize = 0; b < count; b += 4) {
      const first = BLOCK + b * rowBytes;
      const second = first + rowBytes;
      const third = second + rowBytes;
      const fourth = third + rowBytes;
      let s0 = f32x4.splat(0);
      let s1 = f32x4.splat(0);
      let s2 = f32x4.splat(0);
      let s3 = f32x4.splat(0);
      for (let at: usize = 0; at < rowBytes; at += 16) {
        const x = v128.load(query + at);
        s0 = v128.add<f32>(s0, v128.mul<f32>(x, v128.load(first + at)));
        s1 = v128.add<f32>(s1, v128.mul<f32>(x, v128.load(second + at)));
        s2 = v128.add<f32>(s2, v128.mul<f32>(x, v128.load(third + at)));
        s3 = v128.add<f32>(s3, v128.mul<f32>(x, v128.load(fourth + at)));
      }
      storeFirst(out + ((r * stride + b) << 2), sumLanes(s0, s1, s2, s3), count - b);
    }
  }
}

/** Adds `tokens` weighted block entries of 16 columns to `out`. */
// @ts-ignore: decorator
@inline
function accumulate16(tokens: usize, block: usize, rowBytes: usize, weights: usize, out: usize): void {
  let s0 = v128.load(out);
  let s1 = v128.load(out, 16);
  let s2 = v128.load(out, 32);
  let s3 = v128.load(out, 48);
  for (let b: usize = 0; b < tokens; b++, block += rowBytes) {
    const weight = v128.load_splat<f32>(weights + (b << 2));
    s0 = v128.add<f32>(s0, v128.mul<f32>(weight, v128.load(block)));
    s1 = v128.add<f32>(s1, v128.mul<f32>(weight, v128.load(block, 16)));
    s2 = v128.add<f32>(s2, v128.mul<f32>(weight, v128.load(block, 32)));
    s3 = v128.add<f32>(s3, v128.mul<f32>(weight, v128.load(block, 48)));
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
}

/** The same for 4 columns. */
// @ts-ignore: decorator
@inline
function accumulate4(tokens: usize, block: usize, rowBytes: usize, weights: usize, out: usize): void {
  let sum = v128.load(out);
  for (let b: usize = 0; b < tokens; b++, block += rowBytes) {
    sum = v128.add<f32>(sum, v128.mul<f32>(v128.load_splat<f32>(weights + (b << 2)), v128.load(block)));
  }
  v128.store(out, sum);
}

/**
 * `out[r] += Σ_b weights[r, b] · block[b]` over the tokens that row r sees: the first `visible + ⌊r / group⌋`
 * of the block (`visible` may be negative). out `[R, padded(D)]`; `stride` of the weights in entries.
 */
export function accumulateBlock(
  count: usize,
  width: usize,
  weights: usize,
  rows: usize,
  stride: usize,
  visible: isize,
  group: usize,
  out: usize,
): void {
  const rowBytes = padded(width) << 2;
  for (let r: usize = 0; r < rows; r++) {
    const seen = visible + <isize>(r / group);
    if (seen <= 0) continue;
    const tokens = min<usize>(count, <usize>seen);
    const rowWeights = weights + ((r * stride) << 2);
    const rowOut = out + r * rowBytes;
    let at: usize = 0;
    for (; at + 64 <= rowBytes; at += 64) accumulate16(tokens, BLOCK + at, rowBytes, rowWeights, rowOut + at);
    for (; at < rowBytes; at += 16) accumulate4(tokens, BLOCK + at, rowBytes, rowWeights, rowOut + at);
  }
}
