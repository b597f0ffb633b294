/**
 * Rows that are read in the order of a file and put into the order in which they are wanted.
 *
 * Rows that lie side by side are read at once, and are put in order where they are, without a second copy.
 */
import type { RowSpan } from './packed-weights.js';

export interface RowOrder {
  /** What to read, ascending. */
  readonly spans: readonly RowSpan[];
  /** For each row as it was read: which row of the result it is. Undefined: they are in order. */
  readonly places: readonly number[] | undefined;
}

/** How to read rows, all different, of a tensor. */
export function rowOrder(rows: readonly number[]): RowOrder {
  const places = [...rows.keys()].sort((a, b) => rows[a]! - rows[b]!);
  const spans: { first: number; count: number }[] = [];
  for (const place of places) {
    const row = rows[place]!;
    const last = spans.at(-1);
    if (last !== undefined && last.first + last.count === row) last.count++;
    else spans.push({ first: row, count: 1 });
  }
  return { spans, places: places.every((place, i) => place === i) ? undefined : places };
}

/** Moves each row of `data` to its place, in `data` itself. */
export function arrangeRows(data: Uint8Array, rowBytes: number, places: readonly number[]): void {
  const row = (at: number): Uint8Array => data.subarray(at * rowBytes, (at + 1) * rowBytes);
  const done = new Uint8Array(places.length);
  let moving = new Uint8Array(rowBytes);
  let replaced = new Uint8Array(rowBytes);
  for (let start = 0; start < places.length; start++) {
    if (done[start] === 1) continue;
    moving.set(row(start));
    let at = start;
    do {
      at = places[at]!;
      replaced.set(row(at));
      row(at).set(moving);
      [moving, replaced] = [replaced, moving];
      done[at] = 1;
    } while (at !== start);
  }
}
