/**
 * Products of a few rows with packed weights: `out[r, i] = scale · Σ_k x[r, k] · w[i, k] + bias[i]`.
 *
 * Every sum goes by lane (k mod 4) ascending in k, then (0+2)+(1+3), whatever the number of rows, whichever rows of the matrix
 * share a call, whichever way is taken: a row has the same bits alone and among others. One to three rows read the weights as
 * they are; more have twelve rows of weights widened for them, some columns at a time.
 * Rows of x are padded with zeros to a multiple of eight columns. Alphabet: R rows, K columns, w `[out, K]`.
 */
import { storeFirst, sumLanes } from './block';
import { multiplyAdd } from './fused';
import { MOST_ROWS, scratchBase, TILE, TILE_COLUMNS, TILE_ROWS, TILE_SUMS } from './scratch';
import { BF16, bytesOf, codes, CODES16, CODES32, F16, F32, high4, low4, scaleOf, widen } from './weights';

/** Sixteen columns of codes. */
// @ts-ignore: decorator
@inline
function addCodes(sum: v128, scale: v128, minimum: v128, raw: v128, x: usize): v128 {
  sum = multiplyAdd(sum, v128.load(x), multiplyAdd(minimum, codes(raw, 0), scale));
  sum = multiplyAdd(sum, v128.load(x, 16), multiplyAdd(minimum, codes(raw, 1), scale));
  sum = multiplyAdd(sum, v128.load(x, 32), multiplyAdd(minimum, codes(raw, 2), scale));
  return multiplyAdd(sum, v128.load(x, 48), multiplyAdd(minimum, codes(raw, 3), scale));
}

/** The next columns of one row of weights: 8 numbers, or a block. `form` is a constant. */
// @ts-ignore: decorator
@inline
function addStep(form: u32, sum: v128, w: usize, x: usize): v128 {
  if (form == CODES32 || form == CODES16) {
    const scale = scaleOf(w);
    const minimum = v128.load_splat<f32>(w, 4);
    sum = addCodes(sum, scale, minimum, v128.load(w, 8), x);
    return form == CODES32 ? addCodes(sum, scale, minimum, v128.load(w, 24), x + 64) : sum;
  }
  sum = multiplyAdd(sum, v128.load(x), low4(form, w));
  return multiplyAdd(sum, v128.load(x, 16), high4(form, w));
}

// @ts-ignore: decorator
@inline
function stepColumns(form: u32): usize {
  return form == CODES32 ? 32 : form == CODES16 ? 16 : 8;
}

/** Scales and biases sums of neighbouring rows of weights and stores the first `count`. */
// @ts-ignore: decorator
@inline
function finish(sums: v128, scale: f32, bias: usize, out: usize, count: usize): void {
  let results = v128.mul<f32>(sums, f32x4.splat(scale));
  if (bias != 0) results = v128.add<f32>(results, v128.load(bias));
  storeFirst(out, results, count);
}

/** One row with up to eight rows of weights, read as they are; `form` is a constant. */
// @ts-ignore: decorator
@inline
function direct8(
  form: u32,
  w: usize,
  rowBytes: usize,
  count: usize,
  columns: usize,
  x: usize,
  scale: f32,
  bias: usize,
  out: usize,
): void {
  const step = bytesOf(form, stepColumns(form));
  const xStep = stepColumns(form) << 2;
  const last = w + (count - 1) * rowBytes;
  let w1 = min(w + rowBytes, last);
  let w2 = min(w + 2 * rowBytes, last);
  let w3 = min(w + 3 * rowBytes, last);
  let w4 = min(w + 4 * rowBytes, last);
  let w5 = min(w + 5 * rowBytes, last);
  let w6 = min(w + 6 * rowBytes, last);
  let w7 = min(w + 7 * rowBytes, last);
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let a4 = a0;
  let a5 = a0;
  let a6 = a0;
  let a7 = a0;
  for (const end = x + (columns << 2); x < end; x += xStep) {
    a0 = addStep(form, a0, w, x);
    a1 = addStep(form, a1, w1, x);
    a2 = addStep(form, a2, w2, x);
    a3 = addStep(form, a3, w3, x);
    a4 = addStep(form, a4, w4, x);
    a5 = addStep(form, a5, w5, x);
    a6 = addStep(form, a6, w6, x);
    a7 = addStep(form, a7, w7, x);
    w += step;
    w1 += step;
    w2 += step;
    w3 += step;
    w4 += step;
    w5 += step;
    w6 += step;
    w7 += step;
  }
  finish(sumLanes(a0, a1, a2, a3), scale, bias, out, count);
  if (count > 4) finish(sumLanes(a4, a5, a6, a7), scale, bias == 0 ? 0 : bias + 16, out + 16, count - 4);
}

function directF32(w: usize, rowBytes: usize, count: usize, k: usize, x: usize, scale: f32, bias: usize, out: usize): void {
  direct8(F32, w, rowBytes, count, k, x, scale, bias, out);
}
function directBf16(w: usize, rowBytes: usize, count: usize, k: usize, x: usize, scale: f32, bias: usize, out: usize): void {
  direct8(BF16, w, rowBytes, count, k, x, scale, bias, out);
}
function directF16(w: usize, rowBytes: usize, count: usize, k: usize, x: usize, scale: f32, bias: usize, out: usize): void {
  direct8(F16, w, rowBytes, count, k, x, scale, bias, out);
}
function directCodes32(w: usize, rowBytes: usize, count: usize, k: usize, x: usize, scale: f32, bias: usize, out: usize): void {
  direct8(CODES32, w, rowBytes, count, k, x, scale, bias, out);
}
function directCodes16(w: usize, rowBytes: usize, count: usize, k: usize, x: usize, scale: f32, bias: usize, out: usize): void {
  direct8(CODES16, w, rowBytes, count, k, x, scale, bias, out);
}

/**
 * Adds some columns of four widened rows of weights times two rows to their sums, a vector of lanes each; `second`: bytes from
 * one row of x to the other.
 */
function addTile(w: usize, x: usize, second: usize, columns: usize, sums: usize, fresh: bool): void {
  const zero = f32x4.splat(0);
  let a0 = fresh ? zero : v128.load(sums);
  let a1 = fresh ? zero : v128.load(sums, 16);
  let a2 = fresh ? zero : v128.load(sums, 32);
  let a3 = fresh ? zero : v128.load(sums, 48);
  let b0 = fresh ? zero : v128.load(sums, 64);
  let b1 = fresh ? zero : v128.load(sums, 80);
  let b2 = fresh ? zero : v128.load(sums, 96);
  let b3 = fresh ? zero : v128.load(sums, 112);
  let y = x + second;
  for (const end = x + (columns << 2); x < end; x += 16, y += 16, w += 16) {
    const u = v128.load(x);
    const v = v128.load(y);
    const w0 = v128.load(w);
    a0 = multiplyAdd(a0, u, w0);
    b0 = multiplyAdd(b0, v, w0);
    const w1 = v128.load(w, TILE_COLUMNS << 2);
    a1 = multiplyAdd(a1, u, w1);
    b1 = multiplyAdd(b1, v, w1);
    const w2 = v128.load(w, TILE_COLUMNS << 3);
    a2 = multiplyAdd(a2, u, w2);
    b2 = multiplyAdd(b2, v, w2);
    const w3 = v128.load(w, 12 * TILE_COLUMNS);
    a3 = multiplyAdd(a3, u, w3);
    b3 = multiplyAdd(b3, v, w3);
  }
  v128.store(sums, a0);
  v128.store(sums, a1, 16);
  v128.store(sums, a2, 32);
  v128.store(sums, a3, 48);
  v128.store(sums, b0, 64);
  v128.store(sums, b1, 80);
  v128.store(sums, b2, 96);
  v128.store(sums, b3, 112);
}

/** Up to twelve rows of weights with 1 to 64 rows. */
function widened(
  form: u32,
  w: usize,
  rowBytes: usize,
  count: usize,
  columns: usize,
  x: usize,
  xBytes: usize,
  rows: usize,
  scale: f32,
  bias: usize,
  out: usize,
  outBytes: usize,
): void {
  const tile = scratchBase() + TILE;
  const sums = scratchBase() + TILE_SUMS;
  for (let from: usize = 0; from < columns; from += TILE_COLUMNS) {
    const part = min<usize>(TILE_COLUMNS, columns - from);
    const padded = (part + 3) & ~3;
    for (let i: usize = 0; i < count; i++) {
      const row = tile + i * (TILE_COLUMNS << 2);
      widen(form, w + i * rowBytes + bytesOf(form, from), part, row);
      for (let at = part; at < padded; at++) store<f32>(row + (at << 2), 0);
    }
    let to = sums;
    for (let i: usize = 0; i < count; i += 4) {
      for (let r: usize = 0; r < rows; r += 2, to += 128) {
        const second = r + 1 < rows ? xBytes : 0;
        addTile(tile + i * (TILE_COLUMNS << 2), x + r * xBytes + (from << 2), second, padded, to, from == 0);
      }
    }
  }
  let at = sums;
  for (let i: usize = 0; i < count; i += 4) {
    const own = bias == 0 ? 0 : bias + (i << 2);
    for (let r: usize = 0; r < rows; r++, at += 64) {
      const four = sumLanes(v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48));
      finish(four, scale, own, out + r * outBytes + (i << 2), count - i);
    }
    if ((rows & 1) != 0) at += 64;
  }
}

/**
 * Rows `from … to − 1` of the matrix at `w` with `rows` rows of x; `out` is where row 0 of the matrix has its results. Strides
 * are bytes. `bias` `[out]`, or 0. Reads up to 15 bytes past the matrix and the biases.
 */
export function multiplyRows(
  form: u32,
  w: usize,
  rowBytes: usize,
  from: usize,
  to: usize,
  columns: usize,
  x: usize,
  xBytes: usize,
  rows: usize,
  scale: f32,
  bias: usize,
  out: usize,
  outBytes: usize,
): void {
  if (rows > 3 || (columns & 7) != 0) {
    for (let i = from; i < to; i += TILE_ROWS) {
      const count = min<usize>(TILE_ROWS, to - i);
      const own = bias == 0 ? 0 : bias + (i << 2);
      for (let r: usize = 0; r < rows; r += MOST_ROWS) {
        const taken = min<usize>(MOST_ROWS, rows - r);
        const place = out + r * outBytes + (i << 2);
        widened(form, w + i * rowBytes, rowBytes, count, columns, x + r * xBytes, xBytes, taken, scale, own, place, outBytes);
      }
    }
    return;
  }
  for (let i = from; i < to; i += 8) {
    const count = min<usize>(8, to - i);
    const own = bias == 0 ? 0 : bias + (i << 2);
    const at = w + i * rowBytes;
    for (let r: usize = 0; r < rows; r++) {
      const place = out + r * outBytes + (i << 2);
      const row = x + r * xBytes;
      if (form == F32) directF32(at, rowBytes, count, columns, row, scale, own, place);
      else if (form == BF16) directBf16(at, rowBytes, count, columns, row, scale, own, place);
      else if (form == F16) directF16(at, rowBytes, count, columns, row, scale, own, place);
      else if (form == CODES32) directCodes32(at, rowBytes, count, columns, row, scale, own, place);
      else directCodes16(at, rowBytes, count, columns, row, scale, own, place);
    }
  }
}
