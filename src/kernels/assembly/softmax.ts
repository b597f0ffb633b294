/**
 * Causal softmax over rows of scores, in place.
 *
 * The exponential is Cephes' expf, about 2 units in the last place, 0 below −87.9; the sum goes by lane in ascending
 * order, then (0+1)+(2+3). Row r belongs to new token ⌊r / group⌋.
 */

import { multiplyAdd, multiplySubtract } from './fused';
import { scratchBase, SPLATS } from './scratch';

/** 1.5·2²³ + 127: a small number added to it is rounded to a whole one, which then stands in the low bits, plus 127. */
const ROUND: f32 = 12583039;

/** Numbers that loops need, four times each: what is in the code instead is computed anew for every other vector. */
const CONSTANTS: usize = memory.data(12 * 16, 16);
v128.store(CONSTANTS, f32x4.splat(-87.9));
v128.store(CONSTANTS, f32x4.splat(1.44269504), 16);
v128.store(CONSTANTS, f32x4.splat(ROUND), 32);
v128.store(CONSTANTS, f32x4.splat(0.693359375), 48);
v128.store(CONSTANTS, f32x4.splat(2.12194440e-4), 64);
v128.store(CONSTANTS, f32x4.splat(1.9875691500e-4), 80);
v128.store(CONSTANTS, f32x4.splat(1.3981999507e-3), 96);
v128.store(CONSTANTS, f32x4.splat(8.3334519073e-3), 112);
v128.store(CONSTANTS, f32x4.splat(4.1665795894e-2), 128);
v128.store(CONSTANTS, f32x4.splat(1.6666665459e-1), 144);
v128.store(CONSTANTS, f32x4.splat(5.0000001201e-1), 160);
v128.store(CONSTANTS, f32x4.splat(1), 176);

// What loops need of this call, in scratch for the same reason.
// @ts-ignore: decorator
@inline
const FACTOR: usize = SPLATS;
// @ts-ignore: decorator
@inline
const LARGEST: usize = SPLATS + 16;
// @ts-ignore: decorator
@inline
const SHARE: usize = SPLATS + 32;

/** `exp(x)` for x ≤ 0; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = v128.pmax<f32>(x, v128.load(CONSTANTS));
  const round = v128.load(CONSTANTS, 32);
  const rounded = multiplyAdd(round, x, v128.load(CONSTANTS, 16));
  const n = v128.sub<f32>(rounded, round);
  // x − n·ln 2 in two steps, ln 2 = 0.693359375 − 2.12194440e-4
  let f = multiplySubtract(x, n, v128.load(CONSTANTS, 48));
  f = multiplyAdd(f, n, v128.load(CONSTANTS, 64));
  let p = v128.load(CONSTANTS, 80);
  p = multiplyAdd(v128.load(CONSTANTS, 96), p, f);
  p = multiplyAdd(v128.load(CONSTANTS, 112), p, f);
  p = multiplyAdd(v128.load(CONSTANTS, 128), p, f);
  p = multiplyAdd(v128.load(CONSTANTS, 144), p, f);
  p = multiplyAdd(v128.load(CONSTANTS, 160), p, f);
  p = v128.add<f32>(multiplyAdd(f, v128.mul<f32>(p, f), f), v128.load(CONSTANTS, 176));
  return v128.mul<f32>(p, v128.shl<i32>(rounded, 23));
}

/**
 * `x[r, :seen] = softmax(scale · x[r, :seen])`, `seen = visible + ⌊r / group⌋ ≥ 1`.
 *
 * @param stride of x in entries, a multiple of 4; entries from `seen` up to the next multiple of 4 are overwritten
 */
export function softmaxRows(x: usize, rows: usize, stride: usize, visible: usize, group: usize, scale: f32): void {
  const splats = scratchBase();
  v128.store(splats, f32x4.splat(scale), FACTOR);
  for (let r: usize = 0; r < rows; r++) {
    const row = x + ((r * stride) << 2);
    const seen = visible + r / group;
    const end = row + (((seen + 3) & ~3) << 2);
    for (let at = row + (seen << 2); at < end; at += 4) store<f32>(at, -Infinity);

    let best = f32x4.splat(-Infinity);
    let other = best;
    let at = row;
    for (; at + 32 <= end; at += 32) {
      best = v128.pmax<f32>(best, v128.load(at));
      other = v128.pmax<f32>(other, v128.load(at, 16));
    }
    if (at < end) best = v128.pmax<f32>(best, v128.load(at));
    best = v128.pmax<f32>(best, other);
    best = v128.pmax<f32>(best, v128.shuffle<f32>(best, best, 2, 3, 0, 1));
    best = v128.pmax<f32>(best, v128.shuffle<f32>(best, best, 1, 0, 3, 2));
    v128.store(splats, best, LARGEST);

    let sums = f32x4.splat(0);
    for (let at = row; at < end; at += 16) {
      const e = exp(v128.mul<f32>(v128.sub<f32>(v128.load(at), v128.load(splats, LARGEST)), v128.load(splats, FACTOR)));
      v128.store(at, e);
      sums = v128.add<f32>(sums, e);
    }
    const sum =
      v128.extract_lane<f32>(sums, 0) +
      v128.extract_lane<f32>(sums, 1) +
      (v128.extract_lane<f32>(sums, 2) + v128.extract_lane<f32>(sums, 3));

    v128.store(splats, f32x4.splat(1 / sum), SHARE);
    for (let at = row; at < end; at += 16) v128.store(at, v128.mul<f32>(v128.load(at), v128.load(splats, SHARE)));
  }
}

/**
 * `x[r, :count] = cap · tanh(x[r, :count] / cap)`, tanh(y) = ±(1 − e)/(1 + e) with e = exp(−2|y|).
 *
 * @param stride of x in entries, a multiple of 4; entries from `count` up to the next multiple of 4 are overwritten
 */
export function capRows(x: usize, rows: usize, stride: usize, count: usize, cap: f32): void {
  const one = f32x4.splat(1);
  const splats = scratchBase();
  v128.store(splats, f32x4.splat(-2 / cap), FACTOR);
  v128.store(splats, f32x4.splat(cap), LARGEST);
  for (let r: usize = 0; r < rows; r++) {
    const row = x + ((r * stride) << 2);
    const end = row + (((count + 3) & ~3) << 2);
    for (let at = row; at < end; at += 16) {
      const logits = v128.load(at);
      const e = exp(v128.mul<f32>(v128.abs<f32>(logits), v128.load(splats, FACTOR)));
      const size = v128.div<f32>(v128.sub<f32>(one, e), v128.add<f32>(one, e));
      const signs = v128.and(logits, i32x4.splat(0x80000000));
      v128.store(at, v128.or(v128.mul<f32>(size, v128.load(splats, LARGEST)), signs));
    }
  }
}
