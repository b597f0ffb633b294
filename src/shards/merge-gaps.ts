/**
 * What is missing of a run, by cell and by shard.
 *
 * Cells come group by group in a manifest, `full` first in each, which tells whose shard a sample is.
 */
import { isFull } from '../results/cell-results.js';
import { recordKey } from '../results/journal.js';
import type { CellInfo, JournalEntry } from '../results/types.js';
import { dealSamples } from '../experiment/shard.js';

/** A cell, some of whose samples are missing. */
export interface Gap {
  readonly cell: CellInfo;
  /** Index of the cell's group. */
  readonly group: number;
  readonly samples: readonly number[];
}

/** One gap per cell that has any, in their order. */
export function gapsOf(cells: readonly CellInfo[], entries: readonly JournalEntry[]): Gap[] {
  const present = new Set(entries.map(({ cell, sample }) => recordKey(cell, sample)));
  let group = -1;
  return cells.flatMap((cell, index) => {
    if (index === 0 || isFull(cell)) group++;
    const samples = Array.from({ length: cell.samples }, (_, sample) => sample).filter(
      (sample) => !present.has(recordKey(cell.key, sample)),
    );
    return samples.length === 0 ? [] : [{ cell, group, samples }];
  });
}

/** Results that are missing of each of `count` shards, in their order. */
export function missingByShard(cells: readonly CellInfo[], gaps: readonly Gap[], count: number): number[] {
  const groups = cells.filter((cell, index) => index === 0 || isFull(cell));
  const shardOf = dealSamples(groups, count);
  const missing = Array.from({ length: count }, () => 0);
  for (const { group, samples } of gaps) {
    for (const sample of samples) missing[shardOf(group, sample) - 1]!++;
  }
  return missing;
}
