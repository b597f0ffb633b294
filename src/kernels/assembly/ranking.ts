/**
 * The k largest entries of each of many rows of float32 numbers that are not negative.
 *
 * Ranking channels of every token is most of SparK's work before packing.
 */

/** Entries of a row whose bits, as an integer, are at least `least`. */
// @ts-ignore: decorator
@inline
function countFrom(row: usize, end: usize, least: i32): i32 {
  const bound = i32x4.splat(least);
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  for (let at = row; at < end; at += 32) {
    a = v128.sub<i32>(a, v128.ge<i32>(v128.load(at), bound));
    b = v128.sub<i32>(b, v128.ge<i32>(v128.load(at, 16), bound));
  }
  a = v128.add<i32>(a, b);
  return (
    v128.extract_lane<i32>(a, 0) +
    v128.extract_lane<i32>(a, 1) +
    v128.extract_lane<i32>(a, 2) +
    v128.extract_lane<i32>(a, 3)
  );
}

// @ts-ignore: decorator
@inline
function greatest(row: usize, end: usize): i32 {
  let most = v128.load(row);
  for (let at = row + 16; at < end; at += 16) most = v128.max<i32>(most, v128.load(at));
  return max(
    max(v128.extract_lane<i32>(most, 0), v128.extract_lane<i32>(most, 1)),
    max(v128.extract_lane<i32>(most, 2), v128.extract_lane<i32>(most, 3)),
  );
}

/** The least entry of those with bits of at least `least`, of which there is one. */
// @ts-ignore: decorator
@inline
function leastFrom(row: usize, end: usize, least: i32): i32 {
  const bound = i32x4.splat(least);
  let found = i32x4.splat(i32.MAX_VALUE);
  for (let at = row; at < end; at += 16) {
    const x = v128.load(at);
    const inside = v128.ge<i32>(x, bound);
    found = v128.min<i32>(found, v128.or(v128.and(x, inside), v128.andnot(i32x4.splat(i32.MAX_VALUE), inside)));
  }
  return min(
    min(v128.extract_lane<i32>(found, 0), v128.extract_lane<i32>(found, 1)),
    min(v128.extract_lane<i32>(found, 2), v128.extract_lane<i32>(found, 3)),
  );
}

/** 1 for every entry with bits of at least `least`, else 0; a byte each. */
// @ts-ignore: decorator
@inline
function markFrom(row: usize, end: usize, least: i32, mask: usize): void {
  const bound = i32x4.splat(least);
  for (let at = row; at < end; at += 64) {
    const low = v128.narrow<i32>(v128.ge<i32>(v128.load(at), bound), v128.ge<i32>(v128.load(at, 16), bound));
    const high = v128.narrow<i32>(
      v128.ge<i32>(v128.load(at, 32), bound),
      v128.ge<i32>(v128.load(at, 48), bound),
    );
    v128.store(mask, v128.and(v128.narrow<i16>(low, high), i8x16.splat(1)));
    mask += 16;
  }
}

/**
 * @param values `[count, stride]` f32
 * @param kept `[count]` i32, 1 to width
 * @param masks `[count, stride]` bytes, overwritten: 1 = kept
 * @param thresholds `[count]` f32, overwritten: the least entry that is kept
 * @param below `[count]` f64, overwritten: mean of the entries strictly below it, summed in ascending order; 0 without any
 */
export function rankRows(
  values: usize,
  count: i32,
  width: i32,
  stride: i32,
  kept: usize,
  masks: usize,
  thresholds: usize,
  below: usize,
): void {
  const rowBytes = <usize>(4 * stride);
  for (let r = 0; r < count; r++) {
    const end = values + rowBytes;
    const k = load<i32>(kept);
    let low = 0;
    let found = width; // entries from `low` on
    let high = greatest(values, end) + 1;
    while (found != k && high - low > 1) {
      const middle = low + ((high - low) >> 1);
      const above = countFrom(values, end, middle);
      if (above >= k) {
        low = middle;
        found = above;
      } else high = middle;
    }
    markFrom(values, end, low, masks);
    for (let i = width - 1; found > k; i--) {
      if (load<i32>(values + <usize>(4 * i)) != low) continue;
      store<u8>(masks + <usize>i, 0);
      found--;
    }
    if (high - low > 1) low = leastFrom(values, end, low);
    const threshold = reinterpret<f32>(low);
    let sum: f64 = 0;
    let lesser = 0;
    for (let i = 0; i < width; i++) {
      const x = load<f32>(values + <usize>(4 * i));
      const isBelow = x < threshold;
      sum += select<f64>(<f64>x, 0, isBelow);
      lesser += i32(isBelow);
    }
    store<f32>(thresholds, threshold);
    store<f64>(below, lesser == 0 ? 0 : sum / <f64>lesser);
    values = end;
    kept += 4;
    masks += <usize>stride;
    thresholds += 4;
    below += 8;
  }
}
