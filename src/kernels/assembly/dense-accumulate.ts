/**
 * Weighted sums of dense rows `[n, D]`.
 *
 * Decides the order in which an output entry sums its products: over the tokens, ascending, however many query rows or
 * tokens share a call. `wide` is true for float32 entries, false for bfloat16. Reads up to 31 bytes past the last entry.
 * Alphabet: n tokens, R query rows, D row width; row r belongs to new token ⌊r / group⌋.
 */
import { first, joinFirst, joinSecond, second, splitFirst, splitSecond, upperHalves } from './eights';
import { padded } from './entries';
import { multiplyAdd } from './fused';
import { together } from './rows-together';

/** Tokens whose entries stay in the nearest cache while all their columns are summed. */
const TILE: usize = 32;

/** Outputs of eight columns of up to 3 rows. */
const LAST_COLUMNS: usize = memory.data(3 * 8 * 4, 16);

/** Adds `rows` (a constant, 1 to 3) weighted sums of 8 columns of `tokens` tokens to out; all pointers are at those. */
// @ts-ignore: decorator
@inline
function accumulate8<E>(
  rows: i32,
  entries: usize,
  tokens: usize,
  rowBytes: usize,
  weights: usize,
  stride: usize,
  out: usize,
  outBytes: usize,
): void {
  const upper = upperHalves();
  const weights1 = weights + (stride << 2);
  const weights2 = weights + (stride << 3);
  let a0 = splitFirst<E>(v128.load(out), v128.load(out, 16));
  let a1 = splitSecond<E>(v128.load(out), v128.load(out, 16));
  let b0 = a0;
  let b1 = a1;
  let c0 = a0;
  let c1 = a1;
  if (rows > 1) {
    b0 = splitFirst<E>(v128.load(out + outBytes), v128.load(out + outBytes, 16));
    b1 = splitSecond<E>(v128.load(out + outBytes), v128.load(out + outBytes, 16));
  }
  if (rows > 2) {
    c0 = splitFirst<E>(v128.load(out + 2 * outBytes), v128.load(out + 2 * outBytes, 16));
    c1 = splitSecond<E>(v128.load(out + 2 * outBytes), v128.load(out + 2 * outBytes, 16));
  }
  const end = tokens << 2;
  for (let i: usize = 0; i < end; i += 4, entries += rowBytes) {
    const raw = v128.load(entries);
    const x = first<E>(raw);
    const y = second<E>(raw, entries, upper);
    let weight = v128.load_splat<f32>(weights + i);
    a0 = multiplyAdd(a0, weight, x);
    a1 = multiplyAdd(a1, weight, y);
    if (rows > 1) {
      weight = v128.load_splat<f32>(weights1 + i);
      b0 = multiplyAdd(b0, weight, x);
      b1 = multiplyAdd(b1, weight, y);
    }
    if (rows > 2) {
      weight = v128.load_splat<f32>(weights2 + i);
      c0 = multiplyAdd(c0, weight, x);
      c1 = multiplyAdd(c1, weight, y);
    }
  }
  v128.store(out, joinFirst<E>(a0, a1));
  v128.store(out, joinSecond<E>(a0, a1), 16);
  if (rows > 1) {
    v128.store(out + outBytes, joinFirst<E>(b0, b1));
    v128.store(out + outBytes, joinSecond<E>(b0, b1), 16);
  }
  if (rows > 2) {
    v128.store(out + 2 * outBytes, joinFirst<E>(c0, c1));
    v128.store(out + 2 * outBytes, joinSecond<E>(c0, c1), 16);
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
  let j: usize = 0;
  for (; j + 8 <= padded(width); j += 8) {
    accumulate8<E>(rows, entries + j * sizeof<E>(), tokens, rowBytes, weights, stride, out + (j << 2), outBytes);
  }
  if (j == padded(width)) return;
  // The last four columns, in a copy with eight: what is read past them stays in lanes of its own.
  for (let r: usize = 0; r < <usize>rows; r++) v128.store(LAST_COLUMNS + (r << 5), v128.load(out + r * outBytes + (j << 2)));
  accumulate8<E>(rows, entries + j * sizeof<E>(), tokens, rowBytes, weights, stride, LAST_COLUMNS, 32);
  for (let r: usize = 0; r < <usize>rows; r++) v128.store(out + r * outBytes + (j << 2), v128.load(LAST_COLUMNS + (r << 5)));
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
  if (rows == 3) accumulateRows<E>(3, entries, tokens, width, weights, stride, out);
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
      const taken = together(alike);
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
