/**
 * Rows of float32 numbers copied, filled and masked: what stands between the kernels of attention.
 *
 * Alphabet: R rows, D width, T kept columns, G query heads of a group.
 */
import { padded } from './entries';

/** Copies `count` rows of `bytes` bytes; strides are bytes from one row to the next. */
export function copyRows(from: usize, fromStride: usize, to: usize, toStride: usize, bytes: usize, count: usize): void {
  for (let r: usize = 0; r < count; r++, from += fromStride, to += toStride) memory.copy(to, from, bytes);
}

/** Sets the first `count` numbers of each of `rows` rows; stride in numbers. */
export function fillRows(at: usize, stride: usize, rows: usize, count: usize, value: f32): void {
  for (let r: usize = 0; r < rows; r++, at += stride << 2) {
    for (let i: usize = 0; i < count; i++) store<f32>(at + (i << 2), value);
  }
}

// @ts-ignore: decorator
@inline
function bitAt(mask: usize, j: usize): bool {
  return ((load<u8>(mask + (j >> 3)) >> (<u8>j & 7)) & 1) != 0;
}

/**
 * Zeroes, in rows of the kept columns `narrow [R, padded(T)]`, those that a row's query head does not read.
 *
 * @param union D bits, T of them 1; @param masks `[G, D]` bits; row r belongs to query head r mod G
 */
export function maskColumns(
  union: usize,
  masks: usize,
  group: usize,
  width: usize,
  kept: usize,
  rows: usize,
  narrow: usize,
): void {
  const stride = padded(kept) << 2;
  let at = narrow;
  for (let j: usize = 0; j < width; j++) {
    if (!bitAt(union, j)) continue;
    for (let r: usize = 0; r < rows; r++) {
      if (!bitAt(masks, (r % group) * width + j)) store<f32>(at + r * stride, 0);
    }
    at += 4;
  }
}
