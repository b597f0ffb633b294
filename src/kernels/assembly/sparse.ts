/**
 * Sparse rows: per token a D-bit mask, its kept entries, and a recovery for the pruned ones.
 *
 * Beside signs a kept entry is stored as its difference from the recovery: attention then sums the recovery over all
 * channels at once.
 * Alphabet: n tokens, R query rows, D row width, a multiple of 8.
 */
import { BLOCK_TOKENS } from './block';
import { accumulateDense } from './dense-accumulate';
import { scoreDense } from './dense-score';
import { load1, load4 } from './entries';
import { openCodes, readRow } from './quantised';
import { BLOCK, CHANNEL, KEPT, scratchBase } from './scratch';
import { scoreSums } from './sparse-score';

/** `fill` says what pruned entries read as. 0: zero; 1: sign · scale_t · channel_j; 2: scale_t. */
const FILL_ZERO: u32 = 0;
const FILL_SIGNED: u32 = 1;
const FILL_MEAN: u32 = 2;

/** By 4 mask bits: all ones in the lanes whose bit is set. */
const LANES: usize = memory.data(16 * 16, 16);
/** By 4 mask bits: byte shuffle that moves consecutive lanes to the set bits' places, zero elsewhere. */
const SPREAD: usize = memory.data(16 * 16, 16);
for (let mask: u32 = 0; mask < 16; mask++) {
  let next: u32 = 0;
  for (let lane: u32 = 0; lane < 4; lane++) {
    const set = ((mask >> lane) & 1) != 0;
    const at = mask * 16 + lane * 4;
    store<u32>(LANES + at, set ? 0xffffffff : 0);
    store<u32>(SPREAD + at, set ? 0x03020100 + next * 0x04040404 : 0xffffffff);
    if (set) next++;
  }
}

/** Where the next token is read. */
let entries: usize = 0;
let masks: usize = 0;
let signs: usize = 0;
let scales: usize = 0;

function open(
  wide: bool,
  atEntries: usize,
  atMasks: usize,
  atSigns: usize,
  atScales: usize,
  channel: usize,
  width: usize,
  fill: u32,
): void {
  entries = atEntries;
  masks = atMasks;
  signs = atSigns;
  scales = atScales;
  if (fill != FILL_SIGNED) return;
  for (let j: usize = 0; j < width; j += 4) {
    const four = wide ? load4<f32>(channel + j * sizeof<f32>()) : load4<u16>(channel + j * sizeof<u16>());
    v128.store(scratchBase() + (j << 2), four, CHANNEL);
  }
}

/**
 * Expands the next `count` tokens into `to`; entries are `E`, scales and channel vectors `F`. `differences`: kept entries
 * beside signs are differences from the recovery.
 */
function expand<E, F>(count: usize, width: usize, fill: u32, differences: bool, to: usize): void {
  for (let b: usize = 0; b < count; b++) {
    let scale = f32x4.splat(0);
    if (fill != FILL_ZERO) {
      scale = f32x4.splat(load1<F>(scales));
      scales += sizeof<F>();
    }
    for (let j: usize = 0; j < width; j += 4, to += 16) {
      const mask = (<u32>load<u8>(masks + (j >> 3)) >> (<u32>j & 4)) & 15;
      const lanes = v128.load(LANES + (mask << 4));
      const kept = v128.swizzle(load4<E>(entries), v128.load(SPREAD + (mask << 4)));
      entries += popcnt(mask) * sizeof<E>();
      if (fill == FILL_SIGNED) {
        const positive = (<u32>load<u8>(signs + (j >> 3)) >> (<u32>j & 4)) & 15;
        const negative = v128.andnot(i32x4.splat(0x80000000), v128.load(LANES + (positive << 4)));
        const recovery = v128.xor(v128.mul<f32>(scale, v128.load(scratchBase() + (j << 2), CHANNEL)), negative);
        v128.store(to, differences ? v128.add<f32>(recovery, kept) : v128.bitselect(kept, recovery, lanes));
      } else {
        v128.store(to, v128.bitselect(kept, scale, lanes));
      }
    }
    masks += width >> 3;
    signs += width >> 3;
  }
}

/** `out[r, i] = queries[r] · recovered row i`; queries `[R, D]`; out `[R, stride]`. */
export function scoreSparse(
  wide: bool,
  atEntries: usize,
  atMasks: usize,
  atSigns: usize,
  atScales: usize,
  channel: usize,
  fill: u32,
  n: usize,
  width: usize,
  queries: usize,
  rows: usize,
  out: usize,
  stride: usize,
): void {
  open(wide, atEntries, atMasks, atSigns, atScales, channel, width, fill);
  if (fill != FILL_MEAN) {
    const vector = fill == FILL_SIGNED ? scratchBase() + CHANNEL : 0;
    scoreSums(wide, atEntries, atMasks, atSigns, atScales, vector, n, width, queries, rows, out, stride);
    return;
  }
  const block = scratchBase() + BLOCK;
  for (let i: usize = 0; i < n; i += BLOCK_TOKENS) {
    const count = min(BLOCK_TOKENS, n - i);
    if (wide) expand<f32, f32>(count, width, fill, true, block);
    else expand<u16, u16>(count, width, fill, true, block);
    scoreDense(true, block, count, width, queries, rows, out + (i << 2), stride);
  }
}

/** `out[r] += Σ_i weights[r, i] · recovered row i` over the first `visible + ⌊r / group⌋` rows; out `[R, D]`. */
export function accumulateSparse(
  wide: bool,
  atEntries: usize,
  atMasks: usize,
  atSigns: usize,
  atScales: usize,
  channel: usize,
  fill: u32,
  n: usize,
  width: usize,
  weights: usize,
  rows: usize,
  stride: usize,
  visible: isize,
  group: usize,
  out: usize,
): void {
  open(wide, atEntries, atMasks, atSigns, atScales, channel, width, fill);
  const block = scratchBase() + BLOCK;
  for (let i: usize = 0; i < n; i += BLOCK_TOKENS) {
    const count = min(BLOCK_TOKENS, n - i);
    if (wide) expand<f32, f32>(count, width, fill, true, block);
    else expand<u16, u16>(count, width, fill, true, block);
    accumulateDense(true, block, count, width, weights + (i << 2), rows, stride, visible - <isize>i, group, out);
  }
}

function recover<F>(count: usize, width: usize, fill: u32, group: usize, to: usize): void {
  for (let t: usize = 0; t < count; t++, to += width << 2) {
    let kept: usize = 0;
    for (let at: usize = 0; at < width >> 3; at++) kept += popcnt<u32>(load<u8>(masks + at));
    entries = scratchBase() + KEPT;
    readRow<F>(kept, group, entries);
    expand<f32, F>(1, width, fill, false, to);
  }
}

/**
 * Writes `count` recovered rows to `out [count, D]` whose kept entries are codes, each token's a row by tokens (see
 * `quantised.ts`), themselves and not differences. All pointers are those of the first of them.
 */
export function recoverQuantised(
  wide: bool,
  codeBits: u32,
  codes: usize,
  pairs: usize,
  group: usize,
  atMasks: usize,
  atSigns: usize,
  atScales: usize,
  channel: usize,
  fill: u32,
  count: usize,
  width: usize,
  out: usize,
): void {
  openCodes(codeBits, codes, pairs);
  open(wide, 0, atMasks, atSigns, atScales, channel, width, fill);
  if (wide) recover<f32>(count, width, fill, group, out);
  else recover<u16>(count, width, fill, group, out);
}
