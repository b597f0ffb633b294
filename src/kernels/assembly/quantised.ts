/**
 * Rows of b-bit codes, b = 2, 4 or 8, as float32 rows: `code · scale + minimum`, rounded after each of the two.
 *
 * In blocks, a token loses its channels when it is quantised, as in ThinK + KIVI as released; sliding quantisation
 * leaves the channels as they are.
 * Alphabet: n rows, D row width.
 */
import { storeFirst } from './block';
import { load1, load4 } from './entries';

/** b, and what moves the i-th of four codes in the low bits of a word to the top of lane i. */
let bits: u32 = 8;
let lifts: v128 = i32x4.splat(0);

/** Where the next row by tokens is read. */
let codes: usize = 0;
let pairs: usize = 0;

/** Rows of `codeBits` bits are read from now on, by tokens from these places. */
export function openCodes(codeBits: u32, atCodes: usize, atPairs: usize): void {
  bits = codeBits;
  lifts = i32x4.splat(1 << (32 - bits));
  lifts = v128.replace_lane<i32>(lifts, 1, 1 << (32 - 2 * bits));
  lifts = v128.replace_lane<i32>(lifts, 2, 1 << (32 - 3 * bits));
  lifts = v128.replace_lane<i32>(lifts, 3, 1 << (32 - 4 * bits));
  codes = atCodes;
  pairs = atPairs;
}

/** Codes `i … i + 3` of the run at `run`, i a multiple of 4. */
// @ts-ignore: decorator
@inline
function load4Codes(run: usize, i: usize): v128 {
  const word = load<u32>(run + ((i * bits) >> 3));
  return v128.convert<u32>(v128.shr<u32>(v128.mul<i32>(i32x4.splat(word), lifts), 32 - bits));
}

/** Writes the next row by tokens, `width` entries. */
export function readRow<E>(width: usize, group: usize, to: usize): void {
  for (let first: usize = 0; first < width; first += group) {
    const size = min(group, width - first);
    const scale = f32x4.splat(load1<E>(pairs));
    const minimum = f32x4.splat(load1<E>(pairs + sizeof<E>()));
    const whole = size & ~3;
    for (let i: usize = 0; i < whole; i += 4, to += 16) {
      v128.store(to, v128.add<f32>(v128.mul<f32>(load4Codes(codes, i), scale), minimum));
    }
    if (whole < size) {
      storeFirst(to, v128.add<f32>(v128.mul<f32>(load4Codes(codes, whole), scale), minimum), size - whole);
      to += (size - whole) << 2;
    }
    pairs += 2 * sizeof<E>();
    codes += (size * bits + 7) >> 3;
  }
}

function readTokens<E>(count: usize, width: usize, group: usize, to: usize): void {
  for (let t: usize = 0; t < count; t++, to += width << 2) readRow<E>(width, group, to);
}

function readChannels<E>(scales: usize, from: usize, count: usize, width: usize, group: usize, to: usize): void {
  const rowBytes = (width * bits + 7) >> 3;
  for (let t = from; t < from + count; t++, to += width << 2) {
    const row = codes + t * rowBytes;
    const scale = scales + (t / group) * 2 * width * sizeof<E>();
    const minimum = scale + width * sizeof<E>();
    for (let j: usize = 0; j < width; j += 4) {
      const scaled = v128.mul<f32>(load4Codes(row, j), load4<E>(scale + j * sizeof<E>()));
      storeFirst(to + (j << 2), v128.add<f32>(scaled, load4<E>(minimum + j * sizeof<E>())), width - j);
    }
  }
}

/** Writes `count` rows by tokens to `out [count, D]`, the first of them at `atCodes` and `atPairs`. */
export function dequantiseTokens(
  wide: bool,
  codeBits: u32,
  atCodes: usize,
  atPairs: usize,
  group: usize,
  count: usize,
  width: usize,
  out: usize,
): void {
  openCodes(codeBits, atCodes, atPairs);
  if (wide) readTokens<f32>(count, width, group, out);
  else readTokens<u16>(count, width, group, out);
}

/** Writes rows `from … from + count − 1` by channels to `out [count, D]`; `atCodes`, `scales` are those of row 0. */
export function dequantiseChannels(
  wide: bool,
  codeBits: u32,
  atCodes: usize,
  scales: usize,
  group: usize,
  from: usize,
  count: usize,
  width: usize,
  out: usize,
): void {
  openCodes(codeBits, atCodes, 0);
  if (wide) readChannels<f32>(scales, from, count, width, group, out);
  else readChannels<u16>(scales, from, count, width, group, out);
}
