/**
 * Products of dense float32 matrices, row-major: `out [M, N] = a [M, K] · b [K, N]`.
 *
 * A module of its own, without data of its own: it runs on a memory that belongs to somebody else. Order of summation:
 * ascending in k from 0, one product after the other, whatever M is and in whichever way it is computed. So a row has
 * the same bits alone and among others.
 */
import { multiplyAdd } from './fused';

/** Columns of a panel. */
const PANEL: usize = 8;
/** Columns that are packed at once, which bounds the panels' memory; and rows that go over them together. */
const COLUMNS: usize = 512;
const ROWS: usize = 64;

/** Bytes that `multiplyMany` needs for panels. */
export function panelBytes(k: usize, n: usize): usize {
  return (k * min<usize>(COLUMNS, (n + PANEL - 1) & ~(PANEL - 1))) << 2;
}

/** Columns `0 … count − 1` of `b [K, n]` → panels `[⌈count / 8⌉, K, 8]`, zeros where there is no column. */
function pack(b: usize, k: usize, n: usize, count: usize, panels: usize): void {
  const rowBytes = n << 2;
  for (let j: usize = 0; j < count; j += PANEL) {
    let from = b + (j << 2);
    if (j + PANEL <= count) {
      for (let i: usize = 0; i < k; i++, from += rowBytes, panels += PANEL << 2) {
        v128.store(panels, v128.load(from));
        v128.store(panels, v128.load(from, 16), 16);
      }
    } else {
      for (let i: usize = 0; i < k; i++, from += rowBytes, panels += PANEL << 2) {
        for (let c: usize = 0; c < PANEL; c++) {
          store<f32>(panels + (c << 2), j + c < count ? load<f32>(from + (c << 2)) : 0);
        }
      }
    }
  }
}

/** Stores the first `count` of eight numbers. */
// @ts-ignore: decorator
@inline
function storeColumns(out: usize, x: v128, y: v128, count: usize): void {
  if (count >= PANEL) {
    v128.store(out, x);
    v128.store(out, y, 16);
    return;
  }
  if (count >= 4) {
    v128.store(out, x);
    x = y;
    out += 16;
    count -= 4;
  }
  if (count > 0) v128.store_lane<f32>(out, x, 0);
  if (count > 1) v128.store_lane<f32>(out, x, 1, 4);
  if (count > 2) v128.store_lane<f32>(out, x, 2, 8);
}

/** `rows` (a constant, 1 or 4) rows of a, times one panel. */
// @ts-ignore: decorator
@inline
function tile(rows: i32, a: usize, k: usize, panel: usize, out: usize, n: usize, columns: usize): void {
  const aBytes = k << 2;
  const outBytes = n << 2;
  let p0 = f32x4.splat(0);
  let p1 = p0;
  let q0 = p0;
  let q1 = p0;
  let r0 = p0;
  let r1 = p0;
  let s0 = p0;
  let s1 = p0;
  for (const end = a + aBytes; a < end; a += 4, panel += PANEL << 2) {
    const x = v128.load(panel);
    const y = v128.load(panel, 16);
    let entry = v128.load_splat<f32>(a);
    p0 = multiplyAdd(p0, entry, x);
    p1 = multiplyAdd(p1, entry, y);
    if (rows > 1) {
      entry = v128.load_splat<f32>(a + aBytes);
      q0 = multiplyAdd(q0, entry, x);
      q1 = multiplyAdd(q1, entry, y);
      entry = v128.load_splat<f32>(a + 2 * aBytes);
      r0 = multiplyAdd(r0, entry, x);
      r1 = multiplyAdd(r1, entry, y);
      entry = v128.load_splat<f32>(a + 3 * aBytes);
      s0 = multiplyAdd(s0, entry, x);
      s1 = multiplyAdd(s1, entry, y);
    }
  }
  storeColumns(out, p0, p1, columns);
  if (rows > 1) {
    storeColumns(out + outBytes, q0, q1, columns);
    storeColumns(out + 2 * outBytes, r0, r1, columns);
    storeColumns(out + 3 * outBytes, s0, s1, columns);
  }
}

/** Many rows: columns of b are packed first. `panels` has room for `panelBytes(k, n)`. */
export function multiplyMany(a: usize, b: usize, m: usize, k: usize, n: usize, out: usize, panels: usize): void {
  for (let from: usize = 0; from < n; from += COLUMNS) {
    const count = min<usize>(COLUMNS, n - from);
    pack(b + (from << 2), k, n, count, panels);
    for (let first: usize = 0; first < m; first += ROWS) {
      const last = min<usize>(m, first + ROWS);
      let panel = panels;
      for (let j: usize = 0; j < count; j += PANEL, panel += (k * PANEL) << 2) {
        const to = out + ((from + j) << 2);
        let i = first;
        for (; i + 4 <= last; i += 4) tile(4, a + ((i * k) << 2), k, panel, to + ((i * n) << 2), n, count - j);
        for (; i < last; i++) tile(1, a + ((i * k) << 2), k, panel, to + ((i * n) << 2), n, count - j);
      }
    }
  }
}

/** `out [count] += Σ a[i] · b[i, :count]` over the next `terms` (a constant, 1 or 4) rows of b; what is in `out` counts unless `fresh`. */
// @ts-ignore: decorator
@inline
function addRows(terms: i32, a: usize, b: usize, n: usize, count: usize, fresh: bool, out: usize): void {
  const rowBytes = n << 2;
  const x0 = v128.load_splat<f32>(a);
  const x1 = terms > 1 ? v128.load_splat<f32>(a, 4) : x0;
  const x2 = terms > 1 ? v128.load_splat<f32>(a, 8) : x0;
  const x3 = terms > 1 ? v128.load_splat<f32>(a, 12) : x0;
  const end = out + (count << 2);
  for (; out + 16 <= end; out += 16, b += 16) {
    let sum = fresh ? f32x4.splat(0) : v128.load(out);
    sum = multiplyAdd(sum, x0, v128.load(b));
    if (terms > 1) {
      sum = multiplyAdd(sum, x1, v128.load(b + rowBytes));
      sum = multiplyAdd(sum, x2, v128.load(b + 2 * rowBytes));
      sum = multiplyAdd(sum, x3, v128.load(b + 3 * rowBytes));
    }
    v128.store(out, sum);
  }
  for (; out < end; out += 4, b += 4) {
    let sum = fresh ? f32x4.splat(0) : v128.load_zero<f32>(out);
    sum = multiplyAdd(sum, x0, v128.load_zero<f32>(b));
    if (terms > 1) {
      sum = multiplyAdd(sum, x1, v128.load_zero<f32>(b + rowBytes));
      sum = multiplyAdd(sum, x2, v128.load_zero<f32>(b + 2 * rowBytes));
      sum = multiplyAdd(sum, x3, v128.load_zero<f32>(b + 3 * rowBytes));
    }
    v128.store_lane<f32>(out, sum, 0);
  }
}

/** Few rows: b is read as it is, four of its rows at a time, for all rows of a. */
export function multiplyFew(a: usize, b: usize, m: usize, k: usize, n: usize, out: usize): void {
  for (let from: usize = 0; from < n; from += COLUMNS) {
    const count = min<usize>(COLUMNS, n - from);
    let i: usize = 0;
    for (; i + 4 <= k; i += 4) {
      const row = b + ((i * n + from) << 2);
      for (let r: usize = 0; r < m; r++) {
        addRows(4, a + ((r * k + i) << 2), row, n, count, i == 0, out + ((r * n + from) << 2));
      }
    }
    for (; i < k; i++) {
      const row = b + ((i * n + from) << 2);
      for (let r: usize = 0; r < m; r++) {
        addRows(1, a + ((r * k + i) << 2), row, n, count, i == 0, out + ((r * n + from) << 2));
      }
    }
  }
}
