/**
 * Sweep axes: a list where a single value belongs stands for one cell per entry.
 *
 * The last axis runs fastest, so that cells come in the order of the file.
 */

/** One combination, and which entry of each axis it took. */
export interface Combination {
  readonly values: Readonly<Record<string, unknown>>;
  readonly picked: ReadonlyMap<string, number>;
}

interface Choice {
  readonly key: string;
  readonly entry: unknown;
  readonly index: number | undefined;
}

/** Number of combinations, without making them. */
export function countCombinations(
  fields: Readonly<Record<string, unknown>>,
  isAxis: (key: string) => boolean,
): number {
  return Object.entries(fields).reduce(
    (count, [key, value]) => (Array.isArray(value) && isAxis(key) ? count * value.length : count),
    1,
  );
}

/** Every combination of the fields that are lists and axes; the other fields are the same in all. */
export function combinations(
  fields: Readonly<Record<string, unknown>>,
  isAxis: (key: string) => boolean,
): Combination[] {
  const choices = Object.entries(fields).map(([key, value]): Choice[] =>
    Array.isArray(value) && isAxis(key)
      ? value.map((entry: unknown, index) => ({ key, entry, index }))
      : [{ key, entry: value, index: undefined }],
  );
  return product(choices).map((chosen) => ({
    values: Object.fromEntries(chosen.map(({ key, entry }) => [key, entry])),
    picked: new Map(chosen.flatMap(({ key, index }) => (index === undefined ? [] : [[key, index] as const]))),
  }));
}

/** One of each list, in every way; the last list runs fastest. */
export function product<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>(
    (partial, list) => partial.flatMap((head) => list.map((entry) => [...head, entry])),
    [[]],
  );
}
