/**
 * Causal softmax over rows of scores, in place.
 *
 * Decides the exponential (Cephes' expf, about 2 units in the last place; 0 below −87.9) and the order of the
 * sum: by lane in ascending order, then (0+1)+(2+3). Row r belongs to new token ⌊r / group⌋.
 */

/** `exp(x)` for x ≤ 0. */
// @ts-ignore: decorator
@inline
function exp(x: v128): v128 {
  x = v128.max<f32>(x, f32x4.splat(-87.9));
  const n = v128.nearest<f32>(v128.mul<f32>(x, f32x4.splat(1.44269504)));
  // x − n·ln 2 in two steps, ln 2 = 0.693359375 − 2.12194440e-4
  let f = v128.sub<f32>(x, v128.mul<f32>(n, f32x4.splat(0.693359375)));
  f = v128.add<f32>(f, v128.mul<f32>(n, f32x4.splat(2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = v128.add<f32>(v128.mul<f32>(p, f), f32x4.splat(1.3981999507e-3));
  p = v128.add<f32>(v128.mul<f32>(p, f), f32x4.splat(8.3334519073e-3));
  p = v128.add<f32>(v128.mul<f32>(p, f), f32x4.splat(4.1665795894e-2));
  p = v128.add<f32>(v128.mul<f32>(p, f), f32x4.splat(1.6666665459e-1));
  p = v128.add<f32>(v128.mul<f32>(p, f), f32x4.splat(5.0000001201e-1));
  p = v128.add<f32>(v128.add<f32>(v128.mul<f32>(v128.mul<f32>(p, f), f), f), f32x4.splat(1));
  const exponent = v128.add<i32>(v128.trunc_sat<i32>(n), i32x4.splat(127));
  return v128.mul<f32>(p, v128.shl<i32>(exponent, 23));
}

/**
 * `x[r, :seen] = softmax(scale · x[r, :seen])`, `seen = visible + ⌊r / group⌋ ≥ 1`.
 *
 * @param stride of x in entries, a multiple of 4; entries from `seen` up to the next multiple of 4 are overwritten
 */
export function softmaxRows(x: usize, rows: usize, stride: usize, visible: usize, group: usize, scale: f32): void {
  const factor = f32x4.splat(scale);
  for (let r: usize = 0; r < rows; r++) {
    const row = x + ((r * stride) << 2);
    const seen = visible + r / group;
    const end = row + (((seen + 3) & ~3) << 2);
    for (let at = row + (seen << 2); at < end; at += 4) store<f32>(at, -Infinity);

    let best = f32x4.splat(-Infinity);
    for (let at = row; at < end; at += 16) best = v128.max<f32>(best, v128.load(at));
    const largest = f32x4.splat(
      max(
        max(v128.extract_lane<f32>(best, 0), v128.extract_lane<f32>(best, 1)),
        max(v128.extract_lane<f32>(best, 2), v128.extract_lane<f32>(best, 3)),
      ),
    );

    let sums = f32x4.splat(0);
    for (let at = row; at < end; at += 16) {
      const e = exp(v128.mul<f32>(v128.sub<f32>(v128.load(at), largest), factor));
      v128.store(at, e);
      sums = v128.add<f32>(sums, e);
    }
    const sum =
      v128.extract_lane<f32>(sums, 0) +
      v128.extract_lane<f32>(sums, 1) +
      (v128.extract_lane<f32>(sums, 2) + v128.extract_lane<f32>(sums, 3));

    const share = f32x4.splat(1 / sum);
    for (let at = row; at < end; at += 16) v128.store(at, v128.mul<f32>(v128.load(at), share));
  }
}
