/**
 * Many comparisons at once: Holm's step-down correction (1979), which keeps the chance of even one false finding at α.
 */

/** Adjusted p-values in the order given: the k-th smallest of m times m − k + 1, never falling, at most 1. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let greatest = 0;
  order.forEach((index, rank) => {
    greatest = Math.max(greatest, Math.min(1, (pValues.length - rank) * pValues[index]!));
    adjusted[index] = greatest;
  });
  return adjusted;
}
