/**
 * `spark-eval tables RESULTS…`: what was measured, in the layout of a published table or as it is.
 *
 * Missing samples leave exit code 3, so that no script takes a part for the whole.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { PaperTableName } from '../../report/paper/index.js';
import type { TableFormat } from '../../report/table/formats.js';
import { plural } from '../format.js';
import { jsonOption, type JsonOptions } from '../options.js';
import type { Session } from '../session.js';

const PAPERS = [
  'table1',
  'table2',
  'table3',
  'table4',
  'value-channels',
] as const satisfies readonly PaperTableName[];
const FORMATS = ['md', 'csv', 'latex'] as const satisfies readonly TableFormat[];

interface TablesOptions extends JsonOptions {
  readonly paper?: PaperTableName;
  readonly format: TableFormat;
  readonly margin: number;
  readonly seed: number;
}

export function addTables(root: Command, session: Session): void {
  root
    .command('tables')
    .description('print tables of results, beside the published numbers or by themselves')
    .argument('<results...>', 'result folders')
    .addOption(new Option('--paper <table>', 'the published table to set them beside').choices(PAPERS))
    .addOption(new Option('--format <format>', 'how tables are written').choices(FORMATS).default('md'))
    .addOption(
      new Option('--margin <points>', 'changes smaller than this count as none in the equivalence test')
        .default(1)
        .argParser(marginOf),
    )
    .addOption(new Option('--seed <number>', 'seed of the bootstrap').default(42).argParser(seedOf))
    .addOption(jsonOption())
    .action((paths: string[], options: TablesOptions) => printTables(paths, options, session));
}

async function printTables(
  paths: readonly string[],
  options: TablesOptions,
  session: Session,
): Promise<void> {
  const [{ readResults }, { completeness, tablesOf }, { writeTables }, { cutLines }] = await Promise.all([
    import('../../report/read-results.js'),
    import('../../report/tables.js'),
    import('../../report/table/formats.js'),
    import('../../report/cuts.js'),
  ]);
  const results = readResults(paths);
  const { paper, format, margin, seed } = options;
  const tables = tablesOf(results, { paper, margin, seed });
  const { done, asked } = completeness(results);
  const cut = cutLines(results.results);
  if (options.json === true) session.printJson({ complete: done === asked, done, asked, tables, cut });
  else session.print(writeTables(tables, format));
  for (const { path, tornBytes } of results.folders) {
    if (tornBytes > 0)
      session.note(`${path}: a torn last line of the journal is left out (${tornBytes} bytes)`);
  }
  // in the other formats it stands among the notes of the tables
  if (format === 'csv' && options.json !== true) for (const line of cut) session.note(line);
  const engines = new Set(results.folders.map(({ manifest }) => manifest.engine.name));
  if (engines.size > 1) session.note(`the results are of different engines: ${[...engines].join(', ')}`);
  if (done < asked) {
    session.note(`${asked - done} of ${plural(asked, 'sample')} are missing; what depends on them is marked`);
    session.exitCode = 3;
  }
}

function marginOf(text: string): number {
  const margin = Number(text);
  if (!(margin > 0 && margin <= 100)) throw new InvalidArgumentError('Expected points above 0, at most 100.');
  return margin;
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    throw new InvalidArgumentError('Expected a whole number from 0 to 4294967295.');
  }
  return seed;
}
