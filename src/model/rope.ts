/**
 * Rotary position embedding: tables, and the rotation of a few rows on the host.
 *
 * Angles are float32, as in the reference implementations. The rotation is the half-split one: channel j pairs with
 * channel j + D/2.
 */
export interface RopeTable {
  /** D/2 */
  readonly half: number;
  /** `[T, D/2]` */
  readonly cos: Float32Array;
  /** `[T, D/2]` */
  readonly sin: Float32Array;
}

/** Cosines and sines for consecutive positions `start … start + count − 1`. */
export function ropeTable(frequencies: Float32Array, start: number, count: number): RopeTable {
  const half = frequencies.length;
  const cos = new Float32Array(count * half);
  const sin = new Float32Array(count * half);
  for (let t = 0; t < count; t++) {
    for (let j = 0; j < half; j++) {
      const angle = Math.fround((start + t) * frequencies[j]!);
      cos[t * half + j] = Math.cos(angle);
      sin[t * half + j] = Math.sin(angle);
    }
  }
  return { half, cos, sin };
}

/**
 * Rotates `heads` vectors of width D in place, all at table row `t`.
 *
 * @param x row-major buffer; the vectors start at `offset`, `[heads, D]`
 */
export function rotateHeads(
  x: Float32Array,
  offset: number,
  heads: number,
  table: RopeTable,
  t: number,
): void {
  const { half } = table;
  const base = t * half;
  for (let head = 0; head < heads; head++) {
    const low = offset + head * 2 * half;
    for (let j = 0; j < half; j++) {
      const cos = table.cos[base + j]!;
      const sin = table.sin[base + j]!;
      const a = x[low + j]!;
      const b = x[low + half + j]!;
      x[low + j] = a * cos - b * sin;
      x[low + half + j] = b * cos + a * sin;
    }
  }
}
