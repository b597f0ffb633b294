/**
 * Latent rows: `[n, r]` entries that a matrix `[r, D]` turns into rows of D numbers, and their rotation (RoPE).
 *
 * Positions are stored only where they are not simply 0 … n − 1 and RoPE needs them. What rebuilds the rows is the
 * model's and is not counted.
 * Alphabet: n latents, r rank, D row width (a multiple of 8).
 */
import { load1 } from './entries';
import { multiplyAdd } from './fused';

/** The latent of the t-th row: `rows[t]`, or t itself where `rows` is 0. */
// @ts-ignore: decorator
@inline
function at(rows: usize, t: usize): usize {
  return rows == 0 ? t : <usize>load<u32>(rows + (t << 2));
}

/** 8 columns of four rows whose latents are at `a`, `b`, `c`, `d`; `up` is at the first of the columns. */
// @ts-ignore: decorator
@inline
function fourRows<E>(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  rank: usize,
  up: usize,
  rowBytes: usize,
  bias: usize,
  out: usize,
): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  if (bias != 0) {
    a0 = v128.load(bias);
    a1 = v128.load(bias, 16);
  }
  let b0 = a0;
  let b1 = a1;
  let c0 = a0;
  let c1 = a1;
  let d0 = a0;
  let d1 = a1;
  for (let k: usize = 0; k < rank * sizeof<E>(); k += sizeof<E>(), up += rowBytes) {
    const low = v128.load(up);
    const high = v128.load(up, 16);
    const xa = f32x4.splat(load1<E>(a + k));
    const xb = f32x4.splat(load1<E>(b + k));
    const xc = f32x4.splat(load1<E>(c + k));
    const xd = f32x4.splat(load1<E>(d + k));
    a0 = multiplyAdd(a0, xa, low);
    a1 = multiplyAdd(a1, xa, high);
    b0 = multiplyAdd(b0, xb, low);
    b1 = multiplyAdd(b1, xb, high);
    c0 = multiplyAdd(c0, xc, low);
    c1 = multiplyAdd(c1, xc, high);
    d0 = multiplyAdd(d0, xd, low);
    d1 = multiplyAdd(d1, xd, high);
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out + rowBytes, b0);
  v128.store(out + rowBytes, b1, 16);
  v128.store(out + 2 * rowBytes, c0);
  v128.store(out + 2 * rowBytes, c1, 16);
  v128.store(out + 3 * rowBytes, d0);
  v128.store(out + 3 * rowBytes, d1, 16);
}

/** The same of one row. */
// @ts-ignore: decorator
@inline
function oneRow<E>(a: usize, rank: usize, up: usize, rowBytes: usize, bias: usize, out: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  if (bias != 0) {
    a0 = v128.load(bias);
    a1 = v128.load(bias, 16);
  }
  for (let k: usize = 0; k < rank * sizeof<E>(); k += sizeof<E>(), up += rowBytes) {
    const x = f32x4.splat(load1<E>(a + k));
    a0 = multiplyAdd(a0, x, v128.load(up));
    a1 = multiplyAdd(a1, x, v128.load(up, 16));
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
}

// @ts-ignore: decorator
@inline
function rebuild<E>(
  entries: usize,
  rank: usize,
  rows: usize,
  from: usize,
  count: usize,
  up: usize,
  width: usize,
  bias: usize,
  out: usize,
): void {
  const rowBytes = width << 2;
  const latentBytes = rank * sizeof<E>();
  let t: usize = 0;
  for (; t + 4 <= count; t += 4) {
    const a = entries + at(rows, from + t) * latentBytes;
    const b = entries + at(rows, from + t + 1) * latentBytes;
    const c = entries + at(rows, from + t + 2) * latentBytes;
    const d = entries + at(rows, from + t + 3) * latentBytes;
    for (let column: usize = 0; column < rowBytes; column += 32) {
      const biases = bias == 0 ? <usize>0 : bias + column;
      fourRows<E>(a, b, c, d, rank, up + column, rowBytes, biases, out + t * rowBytes + column);
    }
  }
  for (; t < count; t++) {
    const a = entries + at(rows, from + t) * latentBytes;
    for (let column: usize = 0; column < rowBytes; column += 32) {
      const biases = bias == 0 ? <usize>0 : bias + column;
      oneRow<E>(a, rank, up + column, rowBytes, biases, out + t * rowBytes + column);
    }
  }
}

/**
 * `out[t] = bias + latent(from + t) · up`; entries `[n, r]`, up `[r, D]` and bias `[D]` float32 (0: none), out `[count, D]`.
 * `rows` says which latent each row has (u32; 0: the t-th).
 */
export function rebuildRows(
  wide: bool,
  entries: usize,
  rank: usize,
  rows: usize,
  from: usize,
  count: usize,
  up: usize,
  width: usize,
  bias: usize,
  out: usize,
): void {
  if (wide) rebuild<f32>(entries, rank, rows, from, count, up, width, bias, out);
  else rebuild<u16>(entries, rank, rows, from, count, up, width, bias, out);
}

/**
 * Rotates `x [count, D]` in place, channel j with j + D/2. Row t has the `rows`-th of `positions` (u32; either may be 0:
 * the identity), and `table [positions, D]` holds the D/2 cosines, then the D/2 sines of each position.
 */
export function rotateRows(
  x: usize,
  from: usize,
  count: usize,
  width: usize,
  rows: usize,
  positions: usize,
  table: usize,
): void {
  const half = width << 1;
  for (let t: usize = 0; t < count; t++, x += 2 * half) {
    const angles = table + at(positions, at(rows, from + t)) * 2 * half;
    for (let j: usize = 0; j < half; j += 16) {
      const cos = v128.load(angles + j);
      const sin = v128.load(angles + half + j);
      const low = v128.load(x + j);
      const high = v128.load(x + half + j);
      v128.store(x + j, v128.sub<f32>(v128.mul<f32>(low, cos), v128.mul<f32>(high, sin)));
      v128.store(x + half + j, v128.add<f32>(v128.mul<f32>(high, cos), v128.mul<f32>(low, sin)));
    }
  }
}
