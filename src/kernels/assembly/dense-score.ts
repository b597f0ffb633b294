/**
 * Dense rows: `[n, D]` entries, one token after the other. Also the channels codec, with D its kept channels.
 *
 * Order in which a score sums its products: by lane (channel mod 4) ascending, then the lanes as (0+2)+(1+3), however
 * many query rows or tokens share a call. `wide` is true for float32 entries, false for bfloat16. Reads up to 16 bytes
 * past the last entry. Alphabet: n tokens, R query rows, D row width.
 */
import { storeFirst, sumLanes } from './block';
import { load4, padded } from './entries';
import { multiplyAdd } from './fused';

/** By count: ones in the first lanes. */
const FIRST_LANES: usize = memory.data<u32>([0, 0, 0, 0, -1, 0, 0, 0, -1, -1, 0, 0, -1, -1, -1, 0], 16);

/** Scores of `tokens` (a constant, 2 or 4) tokens with `rows` (a constant, 1 to 4) query rows; stores the first `count`. */
// @ts-ignore: decorator
@inline
function scoreTile<E>(
  rows: i32,
  tokens: i32,
  count: usize,
  entries: usize,
  width: usize,
  query: usize,
  out: usize,
  outBytes: usize,
): void {
  const rowBytes = width * sizeof<E>();
  const queryBytes = padded(width) << 2;
  let at0 = entries;
  let at1 = count > 1 ? at0 + rowBytes : at0;
  let at2 = count > 2 ? at1 + rowBytes : at1;
  let at3 = count > 3 ? at2 + rowBytes : at2;
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  const rest = width & 3;
  for (const end = query + ((width - rest) << 2); query < end; query += 16) {
    const x0 = load4<E>(at0);
    const x1 = load4<E>(at1);
    const q0 = v128.load(query);
    a0 = multiplyAdd(a0, q0, x0);
    a1 = multiplyAdd(a1, q0, x1);
    const q1 = rows > 1 ? v128.load(query + queryBytes) : q0;
    if (rows > 1) {
      b0 = multiplyAdd(b0, q1, x0);
      b1 = multiplyAdd(b1, q1, x1);
    }
    if (rows > 2) {
      const q2 = v128.load(query + 2 * queryBytes);
      c0 = multiplyAdd(c0, q2, x0);
      c1 = multiplyAdd(c1, q2, x1);
    }
    if (rows > 3) {
      const q3 = v128.load(query + 3 * queryBytes);
      d0 = multiplyAdd(d0, q3, x0);
      d1 = multiplyAdd(d1, q3, x1);
    }
    if (tokens > 2) {
      const x2 = load4<E>(at2);
      const x3 = load4<E>(at3);
      a2 = multiplyAdd(a2, q0, x2);
      a3 = multiplyAdd(a3, q0, x3);
      if (rows > 1) {
        b2 = multiplyAdd(b2, q1, x2);
        b3 = multiplyAdd(b3, q1, x3);
      }
    }
    at0 += 4 * sizeof<E>();
    at1 += 4 * sizeof<E>();
    at2 += 4 * sizeof<E>();
    at3 += 4 * sizeof<E>();
  }
  if (rest != 0) {
    const keep = v128.load(FIRST_LANES + (rest << 4));
    const x0 = v128.and(load4<E>(at0), keep);
    const x1 = v128.and(load4<E>(at1), keep);
    const q0 = v128.load(query);
    a0 = multiplyAdd(a0, q0, x0);
    a1 = multiplyAdd(a1, q0, x1);
    const q1 = rows > 1 ? v128.load(query + queryBytes) : q0;
    if (rows > 1) {
      b0 = multiplyAdd(b0, q1, x0);
      b1 = multiplyAdd(b1, q1, x1);
    }
    if (rows > 2) {
      const q2 = v128.load(query + 2 * queryBytes);
      c0 = multiplyAdd(c0, q2, x0);
      c1 = multiplyAdd(c1, q2, x1);
    }
    if (rows > 3) {
      const q3 = v128.load(query + 3 * queryBytes);
      d0 = multiplyAdd(d0, q3, x0);
      d1 = multiplyAdd(d1, q3, x1);
    }
    if (tokens > 2) {
      const x2 = v128.and(load4<E>(at2), keep);
      const x3 = v128.and(load4<E>(at3), keep);
      a2 = multiplyAdd(a2, q0, x2);
      a3 = multiplyAdd(a3, q0, x3);
      if (rows > 1) {
        b2 = multiplyAdd(b2, q1, x2);
        b3 = multiplyAdd(b3, q1, x3);
      }
    }
  }
  if (tokens > 2) {
    storeFirst(out, sumLanes(a0, a1, a2, a3), count);
    if (rows > 1) storeFirst(out + outBytes, sumLanes(b0, b1, b2, b3), count);
    return;
  }
  const ab = sumLanes(a0, a1, b0, b1);
  const cd = sumLanes(c0, c1, d0, d1);
  storeFirst(out, ab, count);
  if (rows > 1) storeFirst(out + outBytes, v128.shuffle<f32>(ab, ab, 2, 3, 0, 1), count);
  if (rows > 2) storeFirst(out + 2 * outBytes, cd, count);
  if (rows > 3) storeFirst(out + 3 * outBytes, v128.shuffle<f32>(cd, cd, 2, 3, 0, 1), count);
}

function scoreRows<E>(rows: usize, entries: usize, n: usize, width: usize, query: usize, out: usize, outBytes: usize): void {
  const rowBytes = width * sizeof<E>();
  if (rows == 4) {
    for (let i: usize = 0; i < n; i += 2) {
      scoreTile<E>(4, 2, min<usize>(2, n - i), entries + i * rowBytes, width, query, out + (i << 2), outBytes);
    }
  } else if (rows == 3) {
    for (let i: usize = 0; i < n; i += 2) {
      scoreTile<E>(3, 2, min<usize>(2, n - i), entries + i * rowBytes, width, query, out + (i << 2), outBytes);
    }
  } else if (rows == 2) {
    for (let i: usize = 0; i < n; i += 4) {
      scoreTile<E>(2, 4, min<usize>(4, n - i), entries + i * rowBytes, width, query, out + (i << 2), outBytes);
    }
  } else {
    for (let i: usize = 0; i < n; i += 4) {
      scoreTile<E>(1, 4, min<usize>(4, n - i), entries + i * rowBytes, width, query, out + (i << 2), outBytes);
    }
  }
}

function score<E>(entries: usize, n: usize, width: usize, queries: usize, rows: usize, out: usize, stride: usize): void {
  for (let r: usize = 0; r < rows; ) {
    const taken = min<usize>(rows - r, 4);
    scoreRows<E>(taken, entries, n, width, queries + ((r * padded(width)) << 2), out + ((r * stride) << 2), stride << 2);
    r += taken;
  }
}

/** `out[r, i] = queries[r] · row i`; queries `[R, padded(D)]`, zero in the padding; out `[R, stride]`. */
export function scoreDense(
  wide: bool,
  entries: usize,
  n: usize,
  width: usize,
  queries: usize,
  rows: usize,
  out: usize,
  stride: usize,
): void {
  if (wide) score<f32>(entries, n, width, queries, rows, out, stride);
  else score<u16>(entries, n, width, queries, rows, out, stride);
}
