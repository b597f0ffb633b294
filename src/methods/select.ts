/**
 * Picking the k largest of a list, the same way on every machine.
 *
 * Of equal entries the one with the lower index is kept. Allocates nothing, because it runs once per cached token.
 */

/**
 * The k-th largest (1 ≤ k ≤ length) of a list, by Hoare's selection. Reorders the list.
 * Linear on average; with NaN among the entries the answer is meaningless, but it still ends.
 */
export function kthLargest(list: Float32Array, k: number): number {
  const target = list.length - k;
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const pivot = list[target]!;
    let i = low;
    let j = high;
    do {
      while (list[i]! < pivot) i++;
      while (pivot < list[j]!) j--;
      if (i <= j) {
        const swapped = list[i]!;
        list[i++] = list[j]!;
        list[j--] = swapped;
      }
    } while (i <= j);
    if (j < target) low = i;
    if (target < i) high = j;
  }
  return list[target]!;
}

/**
 * Sets `mask[at + i]` to 1 for exactly the k largest `values[i]` and to 0 for the others, ties to the lower index, and returns the k-th
 * largest value. `scratch` has the length of `values` and is overwritten, as that stretch of the mask is.
 */
export function markLargest(
  values: Float32Array,
  k: number,
  mask: Uint8Array,
  at: number,
  scratch: Float32Array,
): number {
  scratch.set(values);
  const threshold = kthLargest(scratch, k);
  let surplus = -k;
  // no branch: which entries are kept is as good as random
  for (let i = 0; i < values.length; i++) {
    const kept = Number(values[i]! >= threshold);
    mask[at + i] = kept;
    surplus += kept;
  }
  for (let i = values.length - 1; surplus > 0 && i >= 0; i--) {
    if (values[i] !== threshold) continue;
    mask[at + i] = 0;
    surplus--;
  }
  return threshold;
}

/** Indices of the k largest values (0 ≤ k ≤ length), ascending, ties to the lower index. */
export function indicesOfLargest(values: Float32Array, k: number): Int32Array {
  const kept = new Int32Array(k);
  if (k === 0) return kept;
  const mask = new Uint8Array(values.length);
  markLargest(values, k, mask, 0, new Float32Array(values.length));
  let n = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] === 1) kept[n++] = i;
  return kept;
}
