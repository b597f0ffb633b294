/**
 * Rows of weights, as the checkpoint has them, → float32.
 *
 * Forms: 0 float32; 1 bfloat16; 2 float16, finite numbers only; 3 blocks of 32 signed 8-bit codes behind a float32 scale and a
 * float32 minimum (`scale · code + minimum`, 40 bytes); 4 the same of 16 codes (24 bytes). Blocks lie along a row.
 */
import { first, second } from './eights';
import { multiplyAdd } from './fused';

// @ts-ignore: decorator
@inline
export const F32: u32 = 0;
// @ts-ignore: decorator
@inline
export const BF16: u32 = 1;
// @ts-ignore: decorator
@inline
export const F16: u32 = 2;
// @ts-ignore: decorator
@inline
export const CODES32: u32 = 3;
// @ts-ignore: decorator
@inline
export const CODES16: u32 = 4;

/** Byte shuffles that put codes 4q … 4q + 3 of sixteen into the highest bytes of four words, zeros below. */
const PLACES: usize = memory.data<u32>(
  [
    0x00808080, 0x01808080, 0x02808080, 0x03808080, 0x04808080, 0x05808080, 0x06808080, 0x07808080, 0x08808080,
    0x09808080, 0x0a808080, 0x0b808080, 0x0c808080, 0x0d808080, 0x0e808080, 0x0f808080,
  ],
  16,
);
/** 2¹¹²: what float16 exponents lack in float32. */
const EXPONENTS: usize = memory.data<u32>([0x77800000, 0x77800000, 0x77800000, 0x77800000], 16);

/** Codes 4q … 4q + 3 of `raw`, times 2²⁴. */
// @ts-ignore: decorator
@inline
export function codes(raw: v128, q: usize): v128 {
  const places = v128.load(PLACES + (q << 4));
  return v128.convert<i32>(
    ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(raw, places) : v128.swizzle(raw, places),
  );
}

/** The scale of the block at `at`, for codes times 2²⁴. */
// @ts-ignore: decorator
@inline
export function scaleOf(at: usize): v128 {
  return f32x4.splat(load<f32>(at) * <f32>5.9604644775390625e-8);
}

/** Four float16 numbers, sign-extended words. */
// @ts-ignore: decorator
@inline
function fromHalves(words: v128): v128 {
  const size = v128.mul<f32>(v128.shr<u32>(v128.shl<i32>(words, 17), 4), v128.load(EXPONENTS));
  return v128.or(size, v128.shl<i32>(v128.shr<u32>(words, 31), 31));
}

/** Numbers 0–3 of the eight at `at`; `form` is a constant, not of blocks. */
// @ts-ignore: decorator
@inline
export function low4(form: u32, at: usize): v128 {
  if (form == F32) return v128.load(at);
  if (form == BF16) return first<u16>(v128.load(at));
  return fromHalves(v128.extend_low<i16>(v128.load(at)));
}

/** Numbers 4–7 of the eight at `at`. */
// @ts-ignore: decorator
@inline
export function high4(form: u32, at: usize): v128 {
  if (form == F32) return v128.load(at, 16);
  if (form == BF16) return second<u16>(v128.load(at), 0);
  return fromHalves(v128.extend_high<i16>(v128.load(at)));
}

/** Bytes of `count` numbers of a row, whole blocks of them. */
// @ts-ignore: decorator
@inline
export function bytesOf(form: u32, count: usize): usize {
  if (form == F32) return count << 2;
  if (form == CODES32) return (count >> 5) * 40;
  if (form == CODES16) return (count >> 4) * 24;
  return count << 1;
}

// @ts-ignore: decorator
@inline
function widenCodes(scale: v128, minimum: v128, raw: v128, out: usize): void {
  v128.store(out, multiplyAdd(minimum, codes(raw, 0), scale));
  v128.store(out, multiplyAdd(minimum, codes(raw, 1), scale), 16);
  v128.store(out, multiplyAdd(minimum, codes(raw, 2), scale), 32);
  v128.store(out, multiplyAdd(minimum, codes(raw, 3), scale), 48);
}

/** Blocks of `size` (a constant) codes, `count` numbers in all. */
// @ts-ignore: decorator
@inline
function widenBlocks(size: usize, at: usize, count: usize, out: usize): void {
  for (const end = out + (count << 2); out < end; out += size << 2, at += 8 + size) {
    const scale = scaleOf(at);
    const minimum = v128.load_splat<f32>(at, 4);
    widenCodes(scale, minimum, v128.load(at, 8), out);
    if (size > 16) widenCodes(scale, minimum, v128.load(at, 24), out + 64);
  }
}

/** `form` is a constant. */
// @ts-ignore: decorator
@inline
function widenNumbers(form: u32, at: usize, count: usize, out: usize): void {
  const step: usize = form == F32 ? 32 : 16;
  const end = out + (count << 2);
  for (; out + 32 <= end; out += 32, at += step) {
    v128.store(out, low4(form, at));
    v128.store(out, high4(form, at), 16);
  }
  for (; out < end; out += 4, at += step >> 3) {
    if (form == F32) store<f32>(out, load<f32>(at));
    else if (form == BF16) store<u32>(out, <u32>load<u16>(at) << 16);
    else store<f32>(out, v128.extract_lane<f32>(fromHalves(i32x4.splat(load<i16>(at))), 0));
  }
}

/** Writes `count` numbers of a row, the first at `at`, as float32. May read up to 15 bytes past the last. */
export function widen(form: u32, at: usize, count: usize, out: usize): void {
  if (form == F32) memory.copy(out, at, count << 2);
  else if (form == BF16) widenNumbers(BF16, at, count, out);
  else if (form == F16) widenNumbers(F16, at, count, out);
  else if (form == CODES32) widenBlocks(32, at, count, out);
  else widenBlocks(16, at, count, out);
}

/** Rows of a matrix → `out [rows, columns]` float32. */
export function widenRows(form: u32, at: usize, rowBytes: usize, rows: usize, columns: usize, out: usize): void {
  for (let r: usize = 0; r < rows; r++, at += rowBytes, out += columns << 2) widen(form, at, columns, out);
}

/**
 * Rows of a matrix of `height` rows → the same columns of its transpose: `out [columns, height]` at column `first`.
 *
 * @param tile float32 numbers of 8 rows, scratch
 */
export function widenTransposed(
  form: u32,
  at: usize,
  rowBytes: usize,
  rows: usize,
  columns: usize,
  tile: usize,
  first: usize,
  height: usize,
  out: usize,
): void {
  const outBytes = height << 2;
  const tileBytes = columns << 2;
  for (let r: usize = 0; r < rows; r += 4) {
    const count = min<usize>(4, rows - r);
    for (let i: usize = 0; i < count; i++) widen(form, at + (r + i) * rowBytes, columns, tile + i * tileBytes);
    let to = out + ((first + r) << 2);
    if (count == 4) {
      for (let c = tile; c < tile + tileBytes; c += 4, to += outBytes) {
        let four = v128.load_zero<u32>(c);
        four = v128.load_lane<u32>(c + tileBytes, four, 1);
        four = v128.load_lane<u32>(c + 2 * tileBytes, four, 2);
        v128.store(to, v128.load_lane<u32>(c + 3 * tileBytes, four, 3));
      }
    } else {
      for (let c = tile; c < tile + tileBytes; c += 4, to += outBytes) {
        for (let i: usize = 0; i < count; i++) store<f32>(to + (i << 2), load<f32>(c + i * tileBytes));
      }
    }
  }
}
