/**
 * Tables for scores of sparse rows: the queries turned, and the sums of ± q_j · channel_j by bytes of signs.
 *
 * They are filled once for the queries of a group. Four query rows stand in the four lanes. Alphabet: D row width, a
 * multiple of 8.
 */

import { FOURS, QUERIES, scratchBase, SUMS } from './scratch';

// In scratch: SUMS `[D / 8 ≤ 32, 256]` vectors, by byte of signs Σ ± q_j · channel_j of its eight channels; QUERIES
// `[D ≤ 256]` vectors, q_j; FOURS two times 16 partial sums of four channels.

/** Lane r of vector j = query row r at channel j, of up to four rows `[rows, D]`; zero in the lanes without row. */
export function turn(queries: usize, rows: usize, width: usize): void {
  const next = width << 2;
  let to = scratchBase();
  for (let j: usize = 0; j < width; j++, queries += 4, to += 16) {
    let q = v128.load_zero<u32>(queries);
    if (rows > 1) q = v128.replace_lane<f32>(q, 1, load<f32>(queries + next));
    if (rows > 2) q = v128.replace_lane<f32>(q, 2, load<f32>(queries + 2 * next));
    if (rows > 3) q = v128.replace_lane<f32>(q, 3, load<f32>(queries + 3 * next));
    v128.store(to, q, QUERIES);
  }
}

/** Fills 16 vectors: Σ ± products of the channels `j … j + 3`, by their signs. */
// @ts-ignore: decorator
@inline
function sum4(j: usize, channel: usize, out: usize): void {
  const queries = scratchBase() + (j << 4);
  const a = v128.mul<f32>(v128.load(queries, QUERIES), v128.load_splat<f32>(channel + (j << 2)));
  const b = v128.mul<f32>(v128.load(queries, QUERIES + 16), v128.load_splat<f32>(channel + (j << 2), 4));
  const c = v128.mul<f32>(v128.load(queries, QUERIES + 32), v128.load_splat<f32>(channel + (j << 2), 8));
  const d = v128.mul<f32>(v128.load(queries, QUERIES + 48), v128.load_splat<f32>(channel + (j << 2), 12));
  for (let signs: usize = 0; signs < 4; signs++, out += 16) {
    const low = v128.add<f32>((signs & 1) != 0 ? a : v128.neg<f32>(a), (signs & 2) != 0 ? b : v128.neg<f32>(b));
    const minus = v128.sub<f32>(low, c);
    const plus = v128.add<f32>(low, c);
    v128.store(out, v128.sub<f32>(minus, d));
    v128.store(out, v128.sub<f32>(plus, d), 64);
    v128.store(out, v128.add<f32>(minus, d), 128);
    v128.store(out, v128.add<f32>(plus, d), 192);
  }
}

/** Fills the tables for the turned queries. */
export function fillSums(channel: usize, width: usize): void {
  const fours = scratchBase() + FOURS;
  let to = scratchBase() + SUMS;
  for (let j: usize = 0; j < width; j += 8) {
    sum4(j, channel, fours);
    sum4(j + 4, channel, fours + 256);
    for (let high = fours + 256; high < fours + 512; high += 16) {
      const upper = v128.load(high);
      for (const end = to + 256; to < end; to += 128) {
        const low = fours + ((to - scratchBase()) & 128);
        v128.store(to, v128.add<f32>(v128.load(low), upper));
        v128.store(to, v128.add<f32>(v128.load(low, 16), upper), 16);
        v128.store(to, v128.add<f32>(v128.load(low, 32), upper), 32);
        v128.store(to, v128.add<f32>(v128.load(low, 48), upper), 48);
        v128.store(to, v128.add<f32>(v128.load(low, 64), upper), 64);
        v128.store(to, v128.add<f32>(v128.load(low, 80), upper), 80);
        v128.store(to, v128.add<f32>(v128.load(low, 96), upper), 96);
        v128.store(to, v128.add<f32>(v128.load(low, 112), upper), 112);
      }
    }
  }
}

/** The bytes `at … at + 7` of signs; `table` is the scratch, behind it by 4096 for each byte before them. */
// @ts-ignore: decorator
@inline
function lookUp8(at: usize, table: usize): v128 {
  let a = v128.load(table + (<usize>load<u8>(at) << 4), SUMS);
  let b = v128.load(table + (<usize>load<u8>(at, 1) << 4), SUMS + 4096);
  a = v128.add<f32>(a, v128.load(table + (<usize>load<u8>(at, 2) << 4), SUMS + 2 * 4096));
  b = v128.add<f32>(b, v128.load(table + (<usize>load<u8>(at, 3) << 4), SUMS + 3 * 4096));
  a = v128.add<f32>(a, v128.load(table + (<usize>load<u8>(at, 4) << 4), SUMS + 4 * 4096));
  b = v128.add<f32>(b, v128.load(table + (<usize>load<u8>(at, 5) << 4), SUMS + 5 * 4096));
  a = v128.add<f32>(a, v128.load(table + (<usize>load<u8>(at, 6) << 4), SUMS + 6 * 4096));
  b = v128.add<f32>(b, v128.load(table + (<usize>load<u8>(at, 7) << 4), SUMS + 7 * 4096));
  return v128.add<f32>(a, b);
}

/** The recovery of a token, less its scale. */
// @ts-ignore: decorator
@inline
export function lookUp(at: usize, width: usize): v128 {
  let table = scratchBase();
  if (width == 64) return lookUp8(at, table);
  if (width == 128) return v128.add<f32>(lookUp8(at, table), lookUp8(at + 8, table + 8 * 4096));
  const end = at + (width >> 3);
  let total = f32x4.splat(0);
  for (; at + 8 <= end; at += 8, table += 8 * 4096) total = v128.add<f32>(total, lookUp8(at, table));
  for (; at < end; at++, table += 4096) {
    total = v128.add<f32>(total, v128.load(table + (<usize>load<u8>(at) << 4), SUMS));
  }
  return total;
}
