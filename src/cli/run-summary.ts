/**
 * What ends a run: the summary table, or its numbers as JSON.
 *
 * `run` and `merge` end alike, so that a run in shards reads as one in one go.
 */
import type { ResolvedSpec } from '../experiment/types.js';
import type { CellInfo, Inapplicable, SampleRecord, Shard } from '../results/types.js';
import type { RunOutcome } from '../runner/run.js';
import { mayStyle } from './format.js';
import type { Session } from './session.js';

/** What ends a run for programs: counts, and a row of results.csv for each cell. */
export async function printJsonSummary(
  { name, output }: Pick<ResolvedSpec, 'name' | 'output'>,
  shard: Shard | undefined,
  { complete, asked, reused, manifest, cells, records, inapplicable }: RunOutcome,
  session: Session,
): Promise<void> {
  const [{ collectResults }, { resultRows }] = await Promise.all([
    import('../results/cell-results.js'),
    import('../results/results-csv.js'),
  ]);
  session.printJson({
    name,
    output,
    ...(shard === undefined ? {} : { shard }),
    complete,
    asked,
    done: records.length + inapplicable.length,
    reused,
    inapplicable: inapplicable.map(({ cell, sample, inapplicable: why }) => ({ cell, sample, why })),
    cells: resultRows(collectResults(cells, records, inapplicable), manifest),
  });
}

/** The table that ends a run. */
export async function printSummary(
  cells: readonly CellInfo[],
  records: readonly SampleRecord[],
  session: Session,
  inapplicable: readonly Inapplicable[] = [],
): Promise<void> {
  const [{ collectResults }, { summarise }] = await Promise.all([
    import('../results/cell-results.js'),
    import('../report/summary.js'),
  ]);
  session.print(
    summarise(collectResults(cells, records, inapplicable), {
      width: process.stdout.isTTY ? process.stdout.columns : 160,
      bold: mayStyle(process.stdout),
    }),
  );
}
