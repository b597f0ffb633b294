/**
 * `npm run torture`: kills, bad disks, untrusted files and little memory, counted.
 *
 * The time is shared among the suites. Works on this machine alone, in temporary folders.
 *
 *   npm run torture -- [--minutes N | --hours N] [--seed S] [--only NAME] [--json FILE]
 *
 * The exit code is 1 where there is a fault. The same seed gives the same cases in the same order; how far a suite comes
 * depends on its time.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { alignColumns } from '../../src/report/text-table.js';
import { randomFor } from '../../src/base/random.js';
import { disk } from './disk.js';
import { files } from './files.js';
import { kills } from './kills.js';
import { memory } from './memory.js';
import { Skip, type Row, type Suite } from './types.js';

const SUITES: readonly Suite[] = [files, kills, disk, memory];
const DEFAULT_MINUTES = 10;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string' },
    hours: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const chosen = SUITES.filter(({ name }) => options.only === undefined || options.only === name);
const minutes =
  options.hours === undefined ? Number(options.minutes ?? DEFAULT_MINUTES) : 60 * Number(options.hours);
const seed = Number(options.seed);
if (chosen.length === 0 || !(minutes > 0) || !Number.isSafeInteger(seed)) {
  const names = SUITES.map(({ name }) => name).join('|');
  console.error(`expected [--minutes N | --hours N] [--seed WHOLE NUMBER] [--only ${names}] [--json FILE]`);
  process.exit(2);
}

const log = (line: string): void => {
  console.error(line);
};
const end = performance.now() + 60_000 * minutes;
const results: { readonly suite: string; readonly row: Row }[] = [];
for (const [index, suite] of chosen.entries()) {
  const share = (end - performance.now()) / (chosen.length - index);
  for (const row of await runSuite(suite, performance.now() + share))
    results.push({ suite: suite.name, row });
}

const faults = results.flatMap(({ suite, row }) =>
  row.faults.map((fault) => `${suite}, ${row.what}: ${fault}`),
);
console.log(table(results).join('\n'));
for (const fault of faults) log(`FAULT ${fault}`);
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ seed, minutes, results }, undefined, 2)}\n`);
}
process.exitCode = faults.length > 0 ? 1 : 0;

/** @param until moment at which it begins no further case, ms of `performance.now()` */
async function runSuite(suite: Suite, until: number): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), `spark-eval-torture-${suite.name}-`));
  try {
    return await suite.run({
      seed,
      random: randomFor('torture', suite.name, seed),
      folder,
      kept: `${folder}-kept`,
      over: () => performance.now() >= until,
      log: (line) => {
        log(`${suite.name}: ${line}`);
      },
    });
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    log(`${suite.name} is skipped: ${error.message}`);
    return [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function table(rows: typeof results): string[] {
  const cells = rows.map(({ suite, row }) => [
    suite,
    row.what,
    String(row.cases),
    String(row.faults.length),
    Object.entries(row.figures ?? {})
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  ]);
  return alignColumns(
    [['suite', 'what', 'cases', 'faults', ''], ...cells],
    ['left', 'left', 'right', 'right', 'left'],
  );
}
