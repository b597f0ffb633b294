/**
 * Cells with their records, and each with its baseline.
 *
 * Records beyond the samples that are asked for do not count; the baseline is `full` on the same samples.
 */
import { canonicalJson } from '../base/canonical-json.js';
import { mean } from './statistics.js';
import type { CellInfo, Inapplicable, SampleRecord } from './types.js';

export interface CellResult {
  readonly cell: CellInfo;
  /** By sample index, ascending. */
  readonly records: readonly SampleRecord[];
  /** Records of `full` for the same samples, pairwise; undefined for `full` itself and where none are shared. */
  readonly paired: readonly { readonly own: SampleRecord; readonly full: SampleRecord }[] | undefined;
  /** Samples that the pipeline cannot be applied to, by index: they are done, and in no mean. */
  readonly inapplicable: readonly Inapplicable[];
  /** Samples that will never be a pair, because the pipeline or `full` cannot be applied to them. */
  readonly unpaired: number;
}

/** Samples that are still to be computed. */
export function missingSamples({ cell, records, inapplicable }: CellResult): number {
  return cell.samples - records.length - inapplicable.length;
}

/** One result per cell, in the order of the cells, whatever the order of the records. */
export function collectResults(
  cells: readonly CellInfo[],
  records: Iterable<SampleRecord>,
  inapplicable: Iterable<Inapplicable> = [],
): CellResult[] {
  const recordsOf = byCell(records);
  const inapplicableOf = byCell(inapplicable);
  const baselines = new Map(
    cells
      .filter(isFull)
      .map((cell) => [
        groupIdentity(cell),
        new Map(recordsOf(cell).map((record) => [record.sample, record])),
      ]),
  );
  const without = new Map(cells.filter(isFull).map((cell) => [groupIdentity(cell), inapplicableOf(cell)]));
  return cells.map((cell) => {
    const own = recordsOf(cell);
    const left = inapplicableOf(cell);
    const baseline = isFull(cell) ? undefined : baselines.get(groupIdentity(cell));
    const paired = own.flatMap((record) => {
      const full = baseline?.get(record.sample);
      return full === undefined ? [] : [{ own: record, full }];
    });
    const unpaired = new Set([...left, ...(without.get(groupIdentity(cell)) ?? [])].map(sampleOf));
    return {
      cell,
      records: own,
      paired: paired.length === 0 ? undefined : paired,
      inapplicable: left,
      unpaired: [...unpaired].filter((sample) => sample < cell.samples).length,
    };
  });
}

/** The entries of a cell among these, up to the number of samples asked for, by index. */
function byCell<Entry extends { readonly cell: string; readonly sample: number }>(
  entries: Iterable<Entry>,
): (cell: CellInfo) => Entry[] {
  const lists = new Map<string, Entry[]>();
  for (const entry of entries) {
    const list = lists.get(entry.cell);
    if (list === undefined) lists.set(entry.cell, [entry]);
    else list.push(entry);
  }
  for (const list of lists.values()) list.sort((a, b) => a.sample - b.sample);
  return (cell) => (lists.get(cell.key) ?? []).filter(({ sample }) => sample < cell.samples);
}

function sampleOf({ sample }: { readonly sample: number }): number {
  return sample;
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
