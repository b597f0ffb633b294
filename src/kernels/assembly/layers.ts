/**
 * What stands between the products of a layer: norms, rotations, activations, sums, and the best logit.
 *
 * Each works on rows that do not depend on one another. Sums of norms go by lane (k mod 4) ascending, then (0+2)+(1+3).
 * Alphabet: R rows, E width, D head width.
 */
import { sumLanes } from './block';
import { multiplyAdd } from './fused';
import { exp } from './softmax';

/** Four lanes: the last vector's lanes behind `width` are zero. */
// @ts-ignore: decorator
@inline
function loadRest(at: usize, rest: usize): v128 {
  let four = v128.load_zero<u32>(at);
  if (rest > 1) four = v128.load_lane<u32>(at + 4, four, 1);
  if (rest > 2) four = v128.load_lane<u32>(at + 8, four, 2);
  return four;
}

// @ts-ignore: decorator
@inline
function total(lanes: v128): f32 {
  return v128.extract_lane<f32>(sumLanes(lanes, lanes, lanes, lanes), 0);
}

/** Σ (x − mean)²: with a mean of 0, Σ x². */
function squares(x: usize, width: usize, mean: f32): f32 {
  const centre = f32x4.splat(mean);
  let sums = f32x4.splat(0);
  const end = x + ((width & ~3) << 2);
  for (; x < end; x += 16) {
    const y = v128.sub<f32>(v128.load(x), centre);
    sums = multiplyAdd(sums, y, y);
  }
  const rest = width & 3;
  if (rest != 0) {
    let y = v128.sub<f32>(loadRest(x, rest), centre);
    if (rest < 2) y = v128.replace_lane<f32>(y, 1, 0);
    if (rest < 3) y = v128.replace_lane<f32>(y, 2, 0);
    y = v128.replace_lane<f32>(y, 3, 0);
    sums = multiplyAdd(sums, y, y);
  }
  return total(sums);
}

function sumOf(x: usize, width: usize): f32 {
  let sums = f32x4.splat(0);
  const end = x + ((width & ~3) << 2);
  for (; x < end; x += 16) sums = v128.add<f32>(sums, v128.load(x));
  if ((width & 3) != 0) sums = v128.add<f32>(sums, loadRest(x, width & 3));
  return total(sums);
}

/**
 * `out = x / √(mean x² + ε) · weight`, or with `centred` `(x − mean) / √(variance + ε) · weight`; `+ bias`, where that is not
 * 0. Strides in bytes; out may be x.
 */
export function normRows(
  centred: bool,
  x: usize,
  xBytes: usize,
  rows: usize,
  width: usize,
  weight: usize,
  bias: usize,
  epsilon: f32,
  out: usize,
  outBytes: usize,
): void {
  for (let r: usize = 0; r < rows; r++, x += xBytes, out += outBytes) {
    const mean: f32 = centred ? sumOf(x, width) / <f32>width : 0;
    const size = sqrt<f32>(squares(x, width, mean) / <f32>width + epsilon);
    const sizes = f32x4.splat(size);
    const means = f32x4.splat(mean);
    let i: usize = 0;
    const whole = (width & ~3) << 2;
    for (; i < whole; i += 16) {
      let y = v128.mul<f32>(v128.div<f32>(v128.sub<f32>(v128.load(x + i), means), sizes), v128.load(weight + i));
      if (bias != 0) y = v128.add<f32>(y, v128.load(bias + i));
      v128.store(out + i, y);
    }
    for (; i < width << 2; i += 4) {
      let y: f32 = ((load<f32>(x + i) - mean) / size) * load<f32>(weight + i);
      if (bias != 0) y += load<f32>(bias + i);
      store<f32>(out + i, y);
    }
  }
}

/** `x += y`, rows of `width` numbers; strides in bytes. */
export function addRows(x: usize, xBytes: usize, y: usize, yBytes: usize, rows: usize, width: usize): void {
  for (let r: usize = 0; r < rows; r++, x += xBytes, y += yBytes) {
    let i: usize = 0;
    const whole = (width & ~3) << 2;
    for (; i < whole; i += 16) v128.store(x + i, v128.add<f32>(v128.load(x + i), v128.load(y + i)));
    for (; i < width << 2; i += 4) store<f32>(x + i, load<f32>(x + i) + load<f32>(y + i));
  }
}

/** `x += share · y`, one row. */
export function addScaled(x: usize, y: usize, width: usize, share: f32): void {
  for (let i: usize = 0; i < width << 2; i += 4) store<f32>(x + i, load<f32>(x + i) + share * load<f32>(y + i));
}

/**
 * Rotates `heads` vectors of width D in place by the angles of one position: the first 2·half channels, pairs j and j + half,
 * or with `interleaved` 2j and 2j + 1. Products are rounded before they are added, as when whole prompts are rotated.
 */
export function rotateHeads(
  x: usize,
  heads: usize,
  width: usize,
  half: usize,
  interleaved: bool,
  cos: usize,
  sin: usize,
): void {
  const step: usize = interleaved ? 8 : 4;
  const apart: usize = interleaved ? 4 : half << 2;
  for (let h: usize = 0; h < heads; h++, x += width << 2) {
    for (let j: usize = 0, at = x; j < half; j++, at += step) {
      const c = load<f32>(cos + (j << 2));
      const s = load<f32>(sin + (j << 2));
      const a = load<f32>(at);
      const b = load<f32>(at + apart);
      store<f32>(at, a * c - b * s);
      store<f32>(at + apart, b * c + a * s);
    }
  }
}

/** `1 / (1 + exp(−x))`. */
// @ts-ignore: decorator
@inline
function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = exp(v128.neg<f32>(v128.abs<f32>(x)));
  const below = v128.div<f32>(v128.bitselect(one, e, v128.ge<f32>(x, f32x4.splat(0))), v128.add<f32>(one, e));
  // NaN has no sign: it stays
  return v128.bitselect(below, x, v128.eq<f32>(x, x));
}

/** `tanh(x)` = ±(1 − e)/(1 + e), e = exp(−2|x|). */
// @ts-ignore: decorator
@inline
function tanh(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = exp(v128.mul<f32>(v128.abs<f32>(x), f32x4.splat(-2)));
  const size = v128.div<f32>(v128.sub<f32>(one, e), v128.add<f32>(one, e));
  return v128.or(size, v128.and(x, i32x4.splat(0x80000000)));
}

/** `erf(x)` to 1.5e-7 (Abramowitz and Stegun 7.1.26). */
// @ts-ignore: decorator
@inline
function erf(x: v128): v128 {
  const one = f32x4.splat(1);
  const size = v128.abs<f32>(x);
  const t = v128.div<f32>(one, multiplyAdd(one, f32x4.splat(0.3275911), size));
  let p = f32x4.splat(1.061405429);
  p = multiplyAdd(f32x4.splat(-1.453152027), p, t);
  p = multiplyAdd(f32x4.splat(1.421413741), p, t);
  p = multiplyAdd(f32x4.splat(-0.284496736), p, t);
  p = multiplyAdd(f32x4.splat(0.254829592), p, t);
  const e = exp(v128.neg<f32>(v128.mul<f32>(size, size)));
  const y = v128.sub<f32>(one, v128.mul<f32>(v128.mul<f32>(p, t), e));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

/** SiLU 0, GELU 1, GELU by tanh 2. */
// @ts-ignore: decorator
@inline
function activated(kind: u32, x: v128): v128 {
  if (kind == 0) return v128.mul<f32>(x, sigmoid(x));
  const half = v128.mul<f32>(x, f32x4.splat(0.5));
  if (kind == 1) {
    const y = erf(v128.mul<f32>(x, f32x4.splat(0.70710678)));
    return v128.mul<f32>(half, v128.add<f32>(y, f32x4.splat(1)));
  }
  const cube = v128.mul<f32>(v128.mul<f32>(v128.mul<f32>(x, x), x), f32x4.splat(0.044715));
  const y = tanh(v128.mul<f32>(v128.add<f32>(x, cube), f32x4.splat(0.79788456)));
  return v128.mul<f32>(half, v128.add<f32>(y, f32x4.splat(1)));
}

// @ts-ignore: decorator
@inline
function activate(kind: u32, gate: usize, up: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count << 2; i += 16) {
    const y = activated(kind, v128.load(gate + i));
    v128.store(out + i, up == 0 ? y : v128.mul<f32>(y, v128.load(up + i)));
  }
}

/**
 * `out = act(gate) · up`, or `act(gate)` where up is 0; `count` numbers, and up to 3 behind them are overwritten with what they
 * give. out may be gate or up.
 */
export function activateRow(kind: u32, gate: usize, up: usize, count: usize, out: usize): void {
  if (kind == 0) activate(0, gate, up, count, out);
  else if (kind == 1) activate(1, gate, up, count, out);
  else activate(2, gate, up, count, out);
}

/** Writes the index of the largest of `count` numbers, the first of equal ones, or −1 where one is not finite. */
export function bestOf(x: usize, count: usize, out: usize): void {
  let best: f32 = -Infinity;
  let index: i32 = -1;
  let sum: f32 = 0;
  for (let i: usize = 0; i < count; i++, x += 4) {
    const y = load<f32>(x);
    sum += y * 0;
    if (y > best) {
      best = y;
      index = <i32>i;
    }
  }
  store<i32>(out, sum == 0 ? index : -1);
}
