/**
 * The Pareto front: what nothing else beats in both bytes and score.
 *
 * Of equal bytes the better score counts, of equal points the first.
 */

/** Items that no other one undercuts in cost without losing value, by ascending cost. */
export function paretoFront<T>(
  items: readonly T[],
  cost: (item: T) => number,
  value: (item: T) => number,
): T[] {
  const front: T[] = [];
  for (const item of [...items].sort((a, b) => cost(a) - cost(b) || value(b) - value(a))) {
    const best = front.at(-1);
    if (best === undefined || value(item) > value(best)) front.push(item);
  }
  return front;
}
