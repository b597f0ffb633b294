/**
 * Scores of sparse rows, without writing the rows out.
 *
 *   q · row_t = Σ_kept q_j · d_tj + scale_t · Σ_j ± q_j · channel_j
 *
 * with d the stored entries: where there are signs, differences from the recovery. The second sum runs over all channels,
 * so that a table of 256 partial sums per byte of signs gives it in D/8 look-ups. The query rows stand in the four lanes,
 * so that one look-up, one kept entry and one mask bit serve four rows.
 *
 * Decides the order of summation: kept entries in ascending order, one after the other into two sums; bytes likewise.
 * Alphabet: n tokens, R query rows, D row width, a multiple of 8.
 */
import { storeFirst } from './block';
import { upperHalves } from './eights';
import { load4 } from './entries';
import { multiplyAdd } from './fused';
import { fillSums, lookUp, QUERIES, turn } from './sparse-tables';

/** Scores of the tokens before the fourth. */
const SCORES: usize = memory.data(4 * 16, 16);

/** One entry in all lanes. */
// @ts-ignore: decorator
@inline
function splat<E>(at: usize): v128 {
  return isFloat<E>() ? v128.load_splat<f32>(at) : v128.and(v128.load_splat<u16>(at), upperHalves());
}

/** The kept entries of up to 64 channels of a token: `count` ones in `mask`; `base` is 16 times the first channel. */
// @ts-ignore: decorator
@inline
function keptOfWord<E>(entries: usize, mask: u64, count: i32, base: usize): v128 {
  let a = f32x4.splat(0);
  let b = a;
  for (; count >= 4; count -= 4, entries += 4 * sizeof<E>()) {
    const four = load4<E>(entries);
    const second = mask & (mask - 1);
    const third = second & (second - 1);
    const fourth = third & (third - 1);
    a = multiplyAdd(a, v128.load(base + (<usize>ctz(mask) << 4), QUERIES), v128.shuffle<f32>(four, four, 0, 0, 0, 0));
    b = multiplyAdd(b, v128.load(base + (<usize>ctz(second) << 4), QUERIES), v128.shuffle<f32>(four, four, 1, 1, 1, 1));
    a = multiplyAdd(a, v128.load(base + (<usize>ctz(third) << 4), QUERIES), v128.shuffle<f32>(four, four, 2, 2, 2, 2));
    b = multiplyAdd(b, v128.load(base + (<usize>ctz(fourth) << 4), QUERIES), v128.shuffle<f32>(four, four, 3, 3, 3, 3));
    mask = fourth & (fourth - 1);
  }
  if (count > 0) {
    a = multiplyAdd(a, v128.load(base + (<usize>ctz(mask) << 4), QUERIES), splat<E>(entries));
    if (count > 1) {
      mask &= mask - 1;
      b = multiplyAdd(b, v128.load(base + (<usize>ctz(mask) << 4), QUERIES), splat<E>(entries + sizeof<E>()));
      if (count > 2) {
        mask &= mask - 1;
        a = multiplyAdd(a, v128.load(base + (<usize>ctz(mask) << 4), QUERIES), splat<E>(entries + 2 * sizeof<E>()));
      }
    }
  }
  return v128.add<f32>(a, b);
}

/** A token of which the sum over kept entries is known. */
// @ts-ignore: decorator
@inline
function scoreToken<E>(signed: bool, kept: v128, signs: usize, scale: usize, width: usize): v128 {
  return signed ? multiplyAdd(kept, splat<E>(scale), lookUp(signs, width)) : kept;
}

/** D = 64, four tokens at a time. */
// @ts-ignore: decorator
@inline
function score64<E>(
  signed: bool,
  entries: usize,
  masks: usize,
  signs: usize,
  scales: usize,
  n: usize,
  rows: usize,
  out: usize,
  stride: usize,
): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, out += 16) {
    let mask = load<u64>(masks);
    let count = <i32>popcnt(mask);
    v128.store(SCORES, scoreToken<E>(signed, keptOfWord<E>(entries, mask, count, 0), signs, scales, 64));
    entries += <usize>count * sizeof<E>();
    masks += 8;
    signs += 8;
    mask = load<u64>(masks);
    count = <i32>popcnt(mask);
    v128.store(SCORES, scoreToken<E>(signed, keptOfWord<E>(entries, mask, count, 0), signs, scales + sizeof<E>(), 64), 16);
    entries += <usize>count * sizeof<E>();
    masks += 8;
    signs += 8;
    mask = load<u64>(masks);
    count = <i32>popcnt(mask);
    v128.store(SCORES, scoreToken<E>(signed, keptOfWord<E>(entries, mask, count, 0), signs, scales + 2 * sizeof<E>(), 64), 32);
    entries += <usize>count * sizeof<E>();
    masks += 8;
    signs += 8;
    mask = load<u64>(masks);
    count = <i32>popcnt(mask);
    v128.store(SCORES, scoreToken<E>(signed, keptOfWord<E>(entries, mask, count, 0), signs, scales + 3 * sizeof<E>(), 64), 48);
    entries += <usize>count * sizeof<E>();
    masks += 8;
    signs += 8;
    scales += 4 * sizeof<E>();
    storeScores(4, rows, out, stride);
  }
  for (let at = SCORES; at < SCORES + ((n - i) << 4); at += 16) {
    const mask = load<u64>(masks);
    const count = <i32>popcnt(mask);
    v128.store(at, scoreToken<E>(signed, keptOfWord<E>(entries, mask, count, 0), signs, scales, 64));
    entries += <usize>count * sizeof<E>();
    masks += 8;
    signs += 8;
    scales += sizeof<E>();
  }
  if (i < n) storeScores(n - i, rows, out, stride);
}

/** The same of any width; `is128`, a constant, spares the loop over words. */
// @ts-ignore: decorator
@inline
function scoreAny<E>(
  signed: bool,
  is128: bool,
  entries: usize,
  masks: usize,
  signs: usize,
  scales: usize,
  n: usize,
  width: usize,
  rows: usize,
  out: usize,
  stride: usize,
): void {
  const bytes = width >> 3;
  for (let i: usize = 0; i < n; i++, masks += bytes, signs += bytes, scales += sizeof<E>()) {
    let kept = f32x4.splat(0);
    if (is128) {
      const first = load<u64>(masks);
      const second = load<u64>(masks, 8);
      const count = <i32>popcnt(first);
      kept = keptOfWord<E>(entries, first, count, 0);
      entries += <usize>count * sizeof<E>();
      kept = v128.add<f32>(kept, keptOfWord<E>(entries, second, <i32>popcnt(second), 64 << 4));
      entries += <usize>popcnt(second) * sizeof<E>();
    } else {
      for (let j: usize = 0; j < width; j += 64) {
        let mask = load<u64>(masks + (j >> 3));
        if (j + 64 > width) mask &= (<u64>1 << (width & 63)) - 1;
        const count = <i32>popcnt(mask);
        kept = v128.add<f32>(kept, keptOfWord<E>(entries, mask, count, j << 4));
        entries += <usize>count * sizeof<E>();
      }
    }
    v128.store(SCORES + ((i & 3) << 4), scoreToken<E>(signed, kept, signs, scales, is128 ? 128 : width));
    if ((i & 3) == 3) storeScores(4, rows, out + ((i - 3) << 2), stride);
  }
  if ((n & 3) != 0) storeScores(n & 3, rows, out + ((n & ~3) << 2), stride);
}

/** Writes SCORES of `count` tokens, lane r of each to row r. */
// @ts-ignore: decorator
@inline
function storeScores(count: usize, rows: usize, out: usize, stride: usize): void {
  const first = v128.load(SCORES);
  const second = v128.load(SCORES, 16);
  const third = v128.load(SCORES, 32);
  const fourth = v128.load(SCORES, 48);
  const a = v128.shuffle<f32>(first, second, 0, 4, 1, 5);
  const b = v128.shuffle<f32>(third, fourth, 0, 4, 1, 5);
  storeFirst(out, v128.shuffle<f32>(a, b, 0, 1, 4, 5), count);
  if (rows > 1) storeFirst(out + (stride << 2), v128.shuffle<f32>(a, b, 2, 3, 6, 7), count);
  if (rows > 2) {
    const c = v128.shuffle<f32>(first, second, 2, 6, 3, 7);
    const d = v128.shuffle<f32>(third, fourth, 2, 6, 3, 7);
    storeFirst(out + (stride << 3), v128.shuffle<f32>(c, d, 0, 1, 4, 5), count);
    if (rows > 3) storeFirst(out + 12 * stride, v128.shuffle<f32>(c, d, 2, 3, 6, 7), count);
  }
}

/** Up to four query rows; `signed` is a constant. */
// @ts-ignore: decorator
@inline
function scoreRows<E>(
  signed: bool,
  entries: usize,
  masks: usize,
  signs: usize,
  scales: usize,
  n: usize,
  width: usize,
  rows: usize,
  out: usize,
  stride: usize,
): void {
  if (width == 64) score64<E>(signed, entries, masks, signs, scales, n, rows, out, stride);
  else if (width == 128) scoreAny<E>(signed, true, entries, masks, signs, scales, n, 128, rows, out, stride);
  else scoreAny<E>(signed, false, entries, masks, signs, scales, n, width, rows, out, stride);
}

function score<E>(
  entries: usize,
  masks: usize,
  signs: usize,
  scales: usize,
  channel: usize,
  n: usize,
  width: usize,
  queries: usize,
  rows: usize,
  out: usize,
  stride: usize,
): void {
  for (let r: usize = 0; r < rows; r += 4) {
    const count = min<usize>(4, rows - r);
    const to = out + ((r * stride) << 2);
    turn(queries + ((r * width) << 2), count, width);
    if (channel != 0) fillSums(channel, width);
    if (channel != 0) scoreRows<E>(true, entries, masks, signs, scales, n, width, count, to, stride);
    else scoreRows<E>(false, entries, masks, signs, scales, n, width, count, to, stride);
  }
}

/**
 * `out[r, i] = queries[r] · recovered row i`; `wide` and the packed order as in `sparse.ts`; `channel [D]` float32, or 0
 * where pruned entries are zero. queries `[R, D]`, out `[R, stride]`.
 */
export function scoreSums(
  wide: bool,
  entries: usize,
  masks: usize,
  signs: usize,
  scales: usize,
  channel: usize,
  n: usize,
  width: usize,
  queries: usize,
  rows: usize,
  out: usize,
  stride: usize,
): void {
  if (wide) score<f32>(entries, masks, signs, scales, channel, n, width, queries, rows, out, stride);
  else score<u16>(entries, masks, signs, scales, channel, n, width, queries, rows, out, stride);
}
