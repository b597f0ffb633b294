/**
 * The channels that every one of many tokens keeps, a block of tokens at a time.
 *
 * Ranking channels of every token is most of SparK's work before packing.
 */
import { openOwnMemory, type OwnMemory } from './own-memory.js';

/** Rows of a block. */
const ROWS = 256;
/** Rows end on whole vectors of 16 bytes of mask. */
const VECTOR = 16;

/** What tells kept entries from the others. */
export interface RankedRows {
  /** `[n, width]`, 1 = kept */
  readonly mask: Uint8Array;
  /** `[n]`: the least entry that is kept. */
  readonly threshold: Float32Array;
  /** `[n]`: mean of the entries strictly below it, 0 where there are none. */
  readonly below: Float64Array;
}

/**
 * Marks the `k` largest entries of each of `n` rows, ties to the lower index.
 *
 * @param width at most 256
 * @param fill writes the entries of row t, not negative, to `row [width]`; returns k, 1 to `width`
 * @throws UserError where the kernels are not built
 */
export function rankRows(
  n: number,
  width: number,
  fill: (t: number, row: Float32Array) => number,
): RankedRows {
  const { code, buffer, base } = (opened ??= openOwnMemory(ROWS * (5 * 256 + 16)));
  const stride = Math.ceil(width / VECTOR) * VECTOR;
  const place = {
    below: base,
    values: base + 8 * ROWS,
    thresholds: base + 8 * ROWS + 4 * ROWS * stride,
    kept: base + 12 * ROWS + 4 * ROWS * stride,
    masks: base + 16 * ROWS + 4 * ROWS * stride,
  };
  const values = new Float32Array(buffer, place.values, ROWS * stride).fill(-1);
  const rows = Array.from({ length: Math.min(n, ROWS) }, (_, r) =>
    values.subarray(r * stride, r * stride + width),
  );
  const kept = new Int32Array(buffer, place.kept, ROWS);
  const masks = new Uint8Array(buffer, place.masks, ROWS * stride);
  const ranked = {
    mask: new Uint8Array(n * width),
    threshold: new Float32Array(n),
    below: new Float64Array(n),
  };
  for (let first = 0; first < n; first += ROWS) {
    const count = Math.min(ROWS, n - first);
    for (let r = 0; r < count; r++) kept[r] = fill(first + r, rows[r]!);
    code.rankRows(place.values, count, width, stride, place.kept, place.masks, place.thresholds, place.below);
    ranked.threshold.set(new Float32Array(buffer, place.thresholds, count), first);
    ranked.below.set(new Float64Array(buffer, place.below, count), first);
    if (stride === width) ranked.mask.set(masks.subarray(0, count * width), first * width);
    else {
      for (let r = 0; r < count; r++) {
        ranked.mask.set(masks.subarray(r * stride, r * stride + width), (first + r) * width);
      }
    }
  }
  return ranked;
}

let opened: OwnMemory | undefined;
