/**
 * Cells with their records, and each with its baseline.
 *
 * Decides which records count (those of the cell, up to the number of samples asked for, by index) and which cell
 * a cell is compared with: `full` on the same samples.
 */
import { canonicalJson } from '../base/canonical-json.js';
import { mean } from './statistics.js';
import type { CellInfo, SampleRecord } from './types.js';

export interface CellResult {
  readonly cell: CellInfo;
  /** By sample index, ascending. */
  readonly records: readonly SampleRecord[];
  /** Records of `full` for the same samples, pairwise; undefined for `full` itself and where none are shared. */
  readonly paired: readonly { readonly own: SampleRecord; readonly full: SampleRecord }[] | undefined;
}

/** One result per cell, in the order of the cells, whatever the order of the records. */
export function collectResults(cells: readonly CellInfo[], records: Iterable<SampleRecord>): CellResult[] {
  const byCell = new Map<string, SampleRecord[]>();
  for (const record of records) {
    const list = byCell.get(record.cell);
    if (list === undefined) byCell.set(record.cell, [record]);
    else list.push(record);
  }
  for (const list of byCell.values()) list.sort((a, b) => a.sample - b.sample);

  const recordsOf = (cell: CellInfo): SampleRecord[] =>
    (byCell.get(cell.key) ?? []).filter((record) => record.sample < cell.samples);
  const baselines = new Map(
    cells
      .filter(isFull)
      .map((cell) => [
        groupIdentity(cell),
        new Map(recordsOf(cell).map((record) => [record.sample, record])),
      ]),
  );
  return cells.map((cell) => {
    const own = recordsOf(cell);
    const baseline = isFull(cell) ? undefined : baselines.get(groupIdentity(cell));
    const paired = own.flatMap((record) => {
      const full = baseline?.get(record.sample);
      return full === undefined ? [] : [{ own: record, full }];
    });
    return { cell, records: own, paired: paired.length === 0 ? undefined : paired };
  });
}

export function isFull(cell: CellInfo): boolean {
  return cell.pipeline === 'full';
}

/** Mean score in percent; undefined without records. */
export function scorePercent(records: readonly SampleRecord[]): number | undefined {
  return records.length === 0 ? undefined : 100 * mean(records.map((record) => record.score));
}

/** What cells of different pipelines have in common when they answer the same samples. */
export function groupIdentity(cell: CellInfo): string {
  const task = Object.entries(cell.params).filter(([name]) => name.startsWith('task.'));
  return canonicalJson([
    cell.model,
    cell.task,
    cell.context,
    cell.seed,
    cell.question,
    Object.fromEntries(task),
  ]);
}
