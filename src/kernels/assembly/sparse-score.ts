/**
 * Scores of sparse rows, without writing the rows out.
 *
 *   q · row_t = Σ_kept q_j · d_tj + scale_t · Σ_j ± q_j · channel_j
 *
 * with d the stored entries: where there are signs, differences from the recovery. The second sum runs over all channels,
 * so that a table of 256 partial sums per byte of signs gives it in D/8 look-ups. The query rows stand in the four lanes,
 * so that one look-up, one kept entry and one mask bit serve four rows.
 *
 * How much the first token keeps tells whether rows are expanded for the first sum (`sparse-expand.ts`); else the order of
 * summation is: kept entries ascending, one after the other into two sums. Bytes likewise.
 * Alphabet: n tokens, R query rows, D row width, a multiple of 8.
 */
import { upperHalves } from './eights';
import { load4 } from './entries';
import { multiplyAdd } from './fused';
import { storeScores } from './score-lanes';
import { QUERIES, SCORES, scratchBase } from './scratch';
import { countKept, Four, sumExpanded, takeRows, Three, Two } from './sparse-expand';
import { fillSums, lookUp, turn } from './sparse-tables';

/** One entry in all lanes. */
// @ts-ignore: decorator
@inline
function splat<E>(at: usize): v128 {
  return isFloat<E>() ? v128.load_splat<f32>(at) : v128.and(v128.load_splat<u16>(at), upperHalves());
}

/** The kept entries of up to 64 channels of a token: `count` ones in `mask`; `base` is the scratch, behind it by 16 for each channel before them. */
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

/**
 * Scores a token by walking from one mask bit to the next, to `to`; how many entries it keeps. `width` is a constant where
 * `words` is: one or two words of 64 channels, or 0 for any.
 */
// @ts-ignore: decorator
@inline
function walk<E>(
  signed: bool,
  words: i32,
  entries: usize,
  masks: usize,
  signs: usize,
  scale: usize,
  width: usize,
  to: usize,
): usize {
  if (words == 1) {
    const mask = load<u64>(masks);
    const count = <i32>popcnt(mask);
    v128.store(to, scoreToken<E>(signed, keptOfWord<E>(entries, mask, count, scratchBase()), signs, scale, width));
    return <usize>count * sizeof<E>();
  }
  let kept = f32x4.splat(0);
  const start = entries;
  if (words == 2) {
    const low = load<u64>(masks);
    const high = load<u64>(masks, 8);
    const count = <i32>popcnt(low);
    kept = keptOfWord<E>(entries, low, count, scratchBase());
    entries += <usize>count * sizeof<E>();
    kept = v128.add<f32>(kept, keptOfWord<E>(entries, high, <i32>popcnt(high), scratchBase() + (64 << 4)));
    entries += <usize>popcnt(high) * sizeof<E>();
  } else {
    for (let j: usize = 0; j < width; j += 64) {
      let mask = load<u64>(masks + (j >> 3));
      if (j + 64 > width) mask &= (<u64>1 << (width & 63)) - 1;
      const count = <i32>popcnt(mask);
      kept = v128.add<f32>(kept, keptOfWord<E>(entries, mask, count, scratchBase() + (j << 4)));
      entries += <usize>count * sizeof<E>();
    }
  }
  v128.store(to, scoreToken<E>(signed, kept, signs, scale, width));
  return entries - start;
}

/** Scores of tokens that are walked, four at a time; `words` as above. */
// @ts-ignore: decorator
@inline
function scoreWalked<E>(
  signed: bool,
  words: i32,
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
  const scaleBytes = sizeof<E>();
  const scores = scratchBase() + SCORES;
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, out += 16) {
    entries += walk<E>(signed, words, entries, masks, signs, scales, width, scores);
    masks += bytes;
    signs += bytes;
    entries += walk<E>(signed, words, entries, masks, signs, scales + scaleBytes, width, scores + 16);
    masks += bytes;
    signs += bytes;
    entries += walk<E>(signed, words, entries, masks, signs, scales + 2 * scaleBytes, width, scores + 32);
    masks += bytes;
    signs += bytes;
    entries += walk<E>(signed, words, entries, masks, signs, scales + 3 * scaleBytes, width, scores + 48);
    masks += bytes;
    signs += bytes;
    scales += 4 * scaleBytes;
    storeScores(4, rows, out, stride);
  }
  for (let to = scores; to < scores + ((n - i) << 4); to += 16) {
    entries += walk<E>(signed, words, entries, masks, signs, scales, width, to);
    masks += bytes;
    signs += bytes;
    scales += scaleBytes;
  }
  if (i < n) storeScores(n - i, rows, out, stride);
}

/** Scores of tokens whose kept entries are moved to their places. */
// @ts-ignore: decorator
@inline
function scoreExpanded<Rows>(
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
  const bytes = width >> 3;
  for (let i: usize = 0; i < n; i++, masks += bytes, signs += bytes, scales += 2) {
    const kept = sumExpanded<Rows>(entries, masks, width);
    entries += countKept(masks, width) << 1;
    v128.store(scratchBase() + ((i & 3) << 4), scoreToken<u16>(signed, kept, signs, scales, width), SCORES);
    if ((i & 3) == 3) storeScores(4, rows, out + ((i - 3) << 2), stride);
  }
  if ((n & 3) != 0) storeScores(n & 3, rows, out + ((n & ~3) << 2), stride);
}

/** Up to four query rows; `signed` is a constant. */
// @ts-ignore: decorator
@inline
function scoreRows<E>(
  signed: bool,
  expanded: bool,
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
  if (expanded) {
    if (rows < 3) scoreExpanded<Two>(signed, entries, masks, signs, scales, n, width, rows, out, stride);
    else if (rows == 3) scoreExpanded<Three>(signed, entries, masks, signs, scales, n, width, rows, out, stride);
    else scoreExpanded<Four>(signed, entries, masks, signs, scales, n, width, rows, out, stride);
  } else if (width == 64) scoreWalked<E>(signed, 1, entries, masks, signs, scales, n, 64, rows, out, stride);
  else if (width == 128) scoreWalked<E>(signed, 2, entries, masks, signs, scales, n, 128, rows, out, stride);
  else scoreWalked<E>(signed, 0, entries, masks, signs, scales, n, width, rows, out, stride);
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
  const expanded = !isFloat<E>() && width > 64 && (width & 63) == 0 && n > 0 && countKept(masks, width) * 3 > width;
  for (let r: usize = 0; r < rows; r += 4) {
    const count = min<usize>(4, rows - r);
    const to = out + ((r * stride) << 2);
    turn(queries + ((r * width) << 2), count, width);
    if (expanded) takeRows(queries + ((r * width) << 2), count, width);
    if (channel != 0) fillSums(channel, width);
    if (channel != 0) scoreRows<E>(true, expanded, entries, masks, signs, scales, n, width, count, to, stride);
    else scoreRows<E>(false, expanded, entries, masks, signs, scales, n, width, count, to, stride);
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
