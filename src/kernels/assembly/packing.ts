/**
 * Rows of numbers → the kept entries of sparse rows, and their signs as bits.
 *
 * Beside signs a kept entry's difference from the recovery is stored, rounded after it is taken. `wide` is true for
 * float32 entries, false for bfloat16. Alphabet: n rows, D row width, a multiple of 8.
 */
import { round } from './rounding';
import { ROW, scratchBase } from './scratch';

/** `to[i]` has the bit of each of eight numbers that is above 0, the first the lowest; `bytes` of them. */
export function packSigns(from: usize, bytes: usize, to: usize): void {
  const zero = f32x4.splat(0);
  for (const end = to + bytes; to < end; to++, from += 32) {
    const low = v128.bitmask<i32>(v128.gt<f32>(v128.load(from), zero));
    const high = v128.bitmask<i32>(v128.gt<f32>(v128.load(from, 16), zero));
    store<u8>(to, low | (high << 4));
  }
}

/** `x − sign(x) · recovery`, where what is not above 0 has the sign −1. */
// @ts-ignore: decorator
@inline
function difference(x: v128, recovery: v128): v128 {
  return v128.add<f32>(x, v128.bitselect(v128.neg<f32>(recovery), recovery, v128.gt<f32>(x, f32x4.splat(0))));
}

/** Writes one row as entries, those that are not kept too, to ROW. */
// @ts-ignore: decorator
@inline
function writeRow<E>(row: usize, from: usize, width: usize, scale: v128, channel: usize): void {
  for (let j: usize = 0; j < width; j += 8) {
    const at = j << 2;
    let low = v128.load(from + at);
    let high = v128.load(from + at, 16);
    if (channel != 0) {
      low = difference(low, v128.mul<f32>(scale, v128.load(channel + at)));
      high = difference(high, v128.mul<f32>(scale, v128.load(channel + at, 16)));
    }
    if (isFloat<E>()) {
      v128.store(row + at, low);
      v128.store(row + at, high, 16);
    } else v128.store(row + (j << 1), v128.narrow<u32>(round(low), round(high)));
  }
}

function pack<E>(rows: usize, masks: usize, n: usize, width: usize, scales: usize, channel: usize, to: usize): usize {
  const first = to;
  const row = scratchBase() + ROW;
  for (let t: usize = 0; t < n; t++, rows += width << 2, masks += width) {
    writeRow<E>(row, rows, width, channel == 0 ? f32x4.splat(0) : v128.load_splat<f32>(scales + (t << 2)), channel);
    // no branch: masks are as good as random, and an entry that is not kept is overwritten by the next
    for (let j: usize = 0; j < width; j++) {
      store<E>(to, load<E>(row + j * sizeof<E>()));
      to += <usize>load<u8>(masks + j) * sizeof<E>();
    }
  }
  return (to - first) / sizeof<E>();
}

/**
 * The entries of `rows [n, D]` (float32) whose byte in `masks [n, D]` is 1, in order, to `to`; returns how many.
 *
 * @param channel `[D]` float32, with `scales [n]` the recovery that is taken off; 0 where there is none
 * @param to has room for one entry more
 */
export function packKept(
  wide: bool,
  rows: usize,
  masks: usize,
  n: usize,
  width: usize,
  scales: usize,
  channel: usize,
  to: usize,
): usize {
  return wide
    ? pack<f32>(rows, masks, n, width, scales, channel, to)
    : pack<u16>(rows, masks, n, width, scales, channel, to);
}
