/**
 * `spark-eval report RESULTS…`: one HTML page with everything that result folders hold.
 *
 * Prompts are made again where model and data are there, because results do not hold them.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Prompts } from '../../report/html/sample-data.js';
import type { ReadResults } from '../../report/read-results.js';
import type { Manifest } from '../../results/types.js';
import { formatBytes } from '../format.js';
import { jsonOption, type JsonOptions } from '../options.js';
import { noteGaps } from '../result-notes.js';
import type { Session } from '../session.js';
import { writeOutput } from '../write-output.js';

interface ReportOptions extends JsonOptions {
  readonly output?: string;
  readonly prompts?: boolean;
}

export function addReport(root: Command, session: Session): void {
  root
    .command('report')
    .description('write one self-contained HTML page: tables, plots, every sample, the manifest')
    .argument('<results...>', 'result folders')
    .option('--output <file>', 'the page (default: report.html in the first folder)')
    .option('--prompts', 'make the ends of the prompts again; needs the models and the data of the tasks')
    .addOption(jsonOption())
    .action((paths: string[], options: ReportOptions) => report(paths, options, session));
}

async function report(paths: readonly string[], options: ReportOptions, session: Session): Promise<void> {
  const [{ readResults }, { reportPage }] = await Promise.all([
    import('../../report/read-results.js'),
    import('../../report/html/page.js'),
  ]);
  const read = readResults(paths);
  const prompts = options.prompts === true ? await promptsOf(read) : undefined;
  const page = await reportPage(read, { prompts });
  const file = options.output ?? join(paths[0]!, 'report.html');
  writeOutput(file, page);
  const bytes = Buffer.byteLength(page);
  if (options.json === true) session.printJson({ file, bytes });
  else session.print(file);
  session.note(`${formatBytes(bytes)}; opens in any browser, needs no network`);
  await noteGaps(read, session);
}

/** The prompts of every sample that any pipeline has. */
async function promptsOf({ folders, results }: ReadResults): Promise<Prompts> {
  const [{ openModel }, { remakePrompts }, { promptKey }, { groupIdentity }, { groupBy }] = await Promise.all(
    [
      import('../../runner/models.js'),
      import('../../runner/sample/prompt-ends.js'),
      import('../../report/html/sample-data.js'),
      import('../../results/cell-results.js'),
      import('../../report/group-by.js'),
    ],
  );
  const [{ TaskOpener }, { builtIn }] = await Promise.all([
    import('../../experiment/task-opener.js'),
    import('../../registry/registry.js'),
  ]);
  const folderOf = ({ specFolder }: Manifest): string => specFolder ?? process.cwd();
  const openers = new Map(
    folders.map(({ manifest }) => [folderOf(manifest), new TaskOpener(builtIn.tasks, folderOf(manifest))]),
  );
  const prompts = new Map<string, { head: string; tail: string; left: number }>();
  const byModel = groupBy(results, ({ cell }) => cell.model);
  for (const [model, own] of byModel) {
    const recorded = folders.find(({ manifest }) => manifest.models.some(({ name }) => name === model))!;
    const files = await openModel(model, folderOf(recorded.manifest));
    try {
      for (const cells of groupBy(own, ({ cell }) => groupIdentity(cell)).values()) {
        const { cell } = cells[0]!;
        const answers = new Map(
          cells.flatMap(({ records }) => records.map((r) => [r.sample, r.answers] as const)),
        );
        const { manifest } = folders.find((folder) =>
          folder.manifest.cells.some(({ key }) => key === cell.key),
        )!;
        const opener = openers.get(folderOf(manifest))!;
        const ends = await remakePrompts({ cell, answers, manifest }, files, opener);
        for (const [sample, end] of ends) prompts.set(promptKey(cell, sample), end);
      }
    } finally {
      files.weights.close();
    }
  }
  return prompts;
}
