/**
 * Weighted sums of dense rows `[n, D]`.
 *
 * Order in which an output entry sums its products: over the tokens, ascending, however many query rows or tokens share
 * a call. `wide` is true for float32 entries, false for bfloat16. Reads up to 31 bytes past the last entry.
 * Alphabet: n tokens, R query rows, D row width; row r belongs to new token ⌊r / group⌋.
 */
import { first, second } from './eights';
import { padded } from './entries';
import { multiplyAdd } from './fused';

/** Tokens whose entries stay in the nearest cache while all their columns are summed. */
const TILE: usize = 32;

/**
 * Adds `rows` (1 to 4) weighted sums of 4 · `vectors` (1, 2, or with up to 2 rows 4) columns to out; both are constants, all
 * pointers are at the columns.
 */
// @ts-ignore: decorator
@inline
function accumulateColumns<E>(
  rows: i32,
  vectors: i32,
  entries: usize,
  tokens: usize,
  rowBytes: usize,
  weights: usize,
  stride: usize,
  out: usize,
  outBytes: usize,
): void {
  const weights1 = weights + (stride << 2);
  const weights2 = weights + (stride << 3);
  const weights3 = weights + 12 * stride;
  let a0 = v128.load(out);
  let a1 = vectors > 1 ? v128.load(out, 16) : a0;
  let b0 = rows > 1 ? v128.load(out + outBytes) : a0;
  let b1 = rows > 1 && vectors > 1 ? v128.load(out + outBytes, 16) : a0;
  let c0 = rows > 2 ? v128.load(out + 2 * outBytes) : a0;
  let c1 = rows > 2 && vectors > 1 ? v128.load(out + 2 * outBytes, 16) : a0;
  let d0 = rows > 3 ? v128.load(out + 3 * outBytes) : a0;
  let d1 = rows > 3 && vectors > 1 ? v128.load(out + 3 * outBytes, 16) : a0;
  let a2 = vectors > 2 ? v128.load(out, 32) : a0;
  let a3 = vectors > 2 ? v128.load(out, 48) : a0;
  let b2 = rows > 1 && vectors > 2 ? v128.load(out + outBytes, 32) : a0;
  let b3 = rows > 1 && vectors > 2 ? v128.load(out + outBytes, 48) : a0;
  const end = tokens << 2;
  for (let i: usize = 0; i < end; i += 4, entries += rowBytes) {
    const raw = v128.load(entries);
    const x0 = first<E>(raw);
    const x1 = vectors > 1 ? second<E>(raw, entries) : x0;
    const raw2 = vectors > 2 ? v128.load(entries, 8 * sizeof<E>()) : raw;
    const x2 = vectors > 2 ? first<E>(raw2) : x0;
    const x3 = vectors > 2 ? second<E>(raw2, entries + 8 * sizeof<E>()) : x0;
    let weight = v128.load_splat<f32>(weights + i);
    a0 = multiplyAdd(a0, weight, x0);
    if (vectors > 1) a1 = multiplyAdd(a1, weight, x1);
    if (vectors > 2) {
      a2 = multiplyAdd(a2, weight, x2);
      a3 = multiplyAdd(a3, weight, x3);
    }
    if (rows > 1) {
      weight = v128.load_splat<f32>(weights1 + i);
      b0 = multiplyAdd(b0, weight, x0);
      if (vectors > 1) b1 = multiplyAdd(b1, weight, x1);
      if (vectors > 2) {
        b2 = multiplyAdd(b2, weight, x2);
        b3 = multiplyAdd(b3, weight, x3);
      }
    }
    if (rows > 2) {
      weight = v128.load_splat<f32>(weights2 + i);
      c0 = multiplyAdd(c0, weight, x0);
      if (vectors > 1) c1 = multiplyAdd(c1, weight, x1);
    }
    if (rows > 3) {
      weight = v128.load_splat<f32>(weights3 + i);
      d0 = multiplyAdd(d0, weight, x0);
      if (vectors > 1) d1 = multiplyAdd(d1, weight, x1);
    }
  }
  v128.store(out, a0);
  if (vectors > 1) v128.store(out, a1, 16);
  if (vectors > 2) {
    v128.store(out, a2, 32);
    v128.store(out, a3, 48);
  }
  if (rows > 1) {
    v128.store(out + outBytes, b0);
    if (vectors > 1) v128.store(out + outBytes, b1, 16);
    if (vectors > 2) {
      v128.store(out + outBytes, b2, 32);
      v128.store(out + outBytes, b3, 48);
    }
  }
  if (rows > 2) {
    v128.store(out + 2 * outBytes, c0);
    if (vectors > 1) v128.store(out + 2 * outBytes, c1, 16);
  }
  if (rows > 3) {
    v128.store(out + 3 * outBytes, d0);
    if (vectors > 1) v128.store(out + 3 * outBytes, d1, 16);
  }
}

/** The same of all columns. */
// @ts-ignore: decorator
@inline
function accumulateRows<E>(
  rows: i32,
  entries: usize,
  tokens: usize,
  width: usize,
  weights: usize,
  stride: usize,
  out: usize,
): void {
  const outBytes = padded(width) << 2;
  const rowBytes = width * sizeof<E>();
  let left = padded(width);
  if (rows < 3) {
    for (; left >= 16; left -= 16, entries += 16 * sizeof<E>(), out += 64) {
      accumulateColumns<E>(rows, 4, entries, tokens, rowBytes, weights, stride, out, outBytes);
    }
  }
  for (; left >= 8; left -= 8, entries += 8 * sizeof<E>(), out += 32) {
    accumulateColumns<E>(rows, 2, entries, tokens, rowBytes, weights, stride, out, outBytes);
  }
  if (left > 0) accumulateColumns<E>(rows, 1, entries, tokens, rowBytes, weights, stride, out, outBytes);
}

function accumulate<E>(
  rows: usize,
  entries: usize,
  tokens: usize,
  width: usize,
  weights: usize,
  stride: usize,
  out: usize,
): void {
  if (rows == 4) accumulateRows<E>(4, entries, tokens, width, weights, stride, out);
  else if (rows == 3) accumulateRows<E>(3, entries, tokens, width, weights, stride, out);
  else if (rows == 2) accumulateRows<E>(2, entries, tokens, width, weights, stride, out);
  else accumulateRows<E>(1, entries, tokens, width, weights, stride, out);
}

function accumulateAll<E>(
  entries: usize,
  n: usize,
  width: usize,
  weights: usize,
  rows: usize,
  stride: usize,
  visible: isize,
  group: usize,
  out: usize,
): void {
  for (let i: usize = 0; i < n; i += TILE) {
    const count = min(TILE, n - i);
    const tile = entries + i * width * sizeof<E>();
    for (let r: usize = 0; r < rows; ) {
      const seen = visible - <isize>i + <isize>(r / group);
      if (seen <= 0) {
        r++;
        continue;
      }
      // rows that see as many tokens of the tile
      const tokens = min<usize>(count, <usize>seen);
      const alike = tokens == count ? rows - r : min(rows, (r / group + 1) * group) - r;
      const taken = min<usize>(alike, 4);
      accumulate<E>(
        taken,
        tile,
        tokens,
        width,
        weights + ((r * stride + i) << 2),
        stride,
        out + ((r * padded(width)) << 2),
      );
      r += taken;
    }
  }
}

/** `out[r] += Σ_i weights[r, i] · row i` over the first `visible + ⌊r / group⌋` rows; out `[R, padded(D)]`. */
export function accumulateDense(
  wide: bool,
  entries: usize,
  n: usize,
  width: usize,
  weights: usize,
  rows: usize,
  stride: usize,
  visible: isize,
  group: usize,
  out: usize,
): void {
  if (wide) accumulateAll<f32>(entries, n, width, weights, rows, stride, visible, group, out);
  else accumulateAll<u16>(entries, n, width, weights, rows, stride, visible, group, out);
}
