/**
 * `spark-eval merge FOLDERS…`: the results of shards as one result folder.
 *
 * Missing results leave exit code 3, so that a script can wait for the last shard.
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { taskTitle } from '../../report/gaps.js';
import type { MergeOutcome } from '../../shards/merge.js';
import { plural } from '../format.js';
import { noteInapplicable } from '../inapplicable.js';
import { jsonOption, type JsonOptions } from '../options.js';
import { printSummary } from '../run-summary.js';
import type { Session } from '../session.js';

/** Lines about what is missing; the rest is counted. */
const LINES = 20;

interface MergeOptions extends JsonOptions {
  readonly output?: string;
}

export function addMerge(root: Command, session: Session): void {
  root
    .command('merge')
    .description('join result folders of one spec, such as its shards; exit code 3 while results are missing')
    .argument('<folders...>', 'result folders, e.g. results/quickstart/shards/*')
    .option('--output <folder>', 'where the results go (default: the folder that holds "shards")')
    .addOption(jsonOption())
    .action((folders: string[], options: MergeOptions) => merge(folders, options, session));
}

async function merge(folders: readonly string[], options: MergeOptions, session: Session): Promise<void> {
  const [{ defaultOutput, mergeFolders }, { expectFolder }] = await Promise.all([
    import('../../shards/merge.js'),
    import('../../results/read-folder.js'),
  ]);
  folders.forEach(expectFolder);
  const output = resolve(options.output ?? defaultOutput(folders));
  const outcome = mergeFolders(folders, output);
  for (const note of outcome.notes) session.note(note);
  const { cells, records, inapplicable, gaps } = outcome;
  const asked = cells.reduce((sum, cell) => sum + cell.samples, 0);
  const missing = gaps.reduce((sum, { samples }) => sum + samples.length, 0);
  session.note(`${asked - missing} of ${plural(asked, 'result')} are in ${output}`);
  if (options.json === true) {
    session.printJson({
      output,
      complete: gaps.length === 0,
      asked,
      done: asked - missing,
      missing: gaps.map(({ cell, samples }) => ({ cell: cell.key, pipeline: cell.pipeline, samples })),
      inapplicable: inapplicable.map(({ cell, sample, inapplicable: why }) => ({ cell, sample, why })),
    });
  } else if (gaps.length === 0) await printSummary(cells, records, session, inapplicable);
  if (gaps.length === 0) {
    noteInapplicable(cells, inapplicable, session);
    return;
  }
  session.exitCode = 3;
  session.note('there are no tables before the rest is there; missing:');
  const lines = await missingLines(outcome);
  for (const line of lines.slice(0, LINES)) session.note(`  ${line}`);
  if (lines.length > LINES) session.note(`  … and ${lines.length - LINES} more`);
  session.note(
    '  Finish the shards and merge again, or run the spec without --shard: it does what is missing.',
  );
}

/** By shard where all folders are shards of one split, else by cell. */
async function missingLines({ cells, gaps, shards }: MergeOutcome): Promise<string[]> {
  if (shards === undefined) {
    return gaps.map(
      ({ cell, samples }) =>
        `${samples.length} of ${plural(cell.samples, 'sample')}: ${cell.pipeline} on ${taskTitle(cell)}, ${cell.model}, context ${cell.context}, seed ${cell.seed}, question ${cell.question}`,
    );
  }
  const { missingByShard } = await import('../../shards/merge-gaps.js');
  return missingByShard(cells, gaps, shards).flatMap((missing, index) =>
    missing === 0 ? [] : [`${plural(missing, 'result')} of shard ${index + 1}/${shards}`],
  );
}
