/**
 * Latencies of a run: every pipeline alone, on the first sample of each task, when all else is done.
 *
 * They are measured in this process, one row at a time, with as many threads as the engine has.
 */
import type { CellInfo } from '../results/types.js';
import type { Latency, LatencySettings } from '../results/latency.js';
import type { PreparedRun } from './prepare.js';
import type { Progress } from './progress.js';

/** Measures one pipeline of a group; undefined where it cannot be applied. */
export type MeasureRow = (
  place: { readonly group: number; readonly pipeline: number },
  settings: LatencySettings,
) => Promise<Latency | undefined>;

/** By the key of the cell. Rejects with the signal's reason where that stops it. */
export async function measureLatencies(
  { spec, groups }: Pick<PreparedRun, 'spec' | 'groups'>,
  settings: LatencySettings,
  measure: MeasureRow,
  { progress, signal }: { readonly progress: Pick<Progress, 'phase'>; readonly signal: AbortSignal },
): Promise<{ readonly cells: readonly CellInfo[]; readonly measured: ReadonlyMap<string, Latency> }> {
  const measured = new Map<string, Latency>();
  for (const [group, { cells }] of groups.entries()) {
    for (const [pipeline, cell] of cells.entries()) {
      signal.throwIfAborted();
      progress.phase(`latency of ${spec.pipelines[pipeline]!.label}, ${cell.task}`);
      const found = await measure({ group, pipeline }, settings);
      if (found !== undefined) measured.set(cell.key, found);
    }
  }
  return { cells: groups.flatMap(({ cells }) => cells), measured };
}
