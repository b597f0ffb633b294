/**
 * The suite `memory`: machines with too little of it, and sweeps that are larger than what there is.
 *
 * The limits are set here. A run that cannot fit must say so before it starts, and what it proposes instead must fit; a
 * sweep must stay below its limit by taking rows in turns, with the same answers. Where this user may make control
 * groups, the limit is the system's, which kills what outgrows it.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SampleRecord } from '../../src/results/types.js';
import { sparkEval, writeSpec, type Outcome } from '../e2e/support.js';
import { errorFaults } from './disk/case.js';
import { memoryGroup } from './memory/group.js';
import { PIPELINES, TOKENS, writeSmallModel, writeSweep } from './memory/sweep.js';
import { Skip, type Context, type Row, type Suite } from './types.js';

/** What runs of the embedded model at its largest context are given, bytes and processes. */
const TOO_LITTLE = [
  { memory: 100e6, workers: 1 },
  { memory: 220e6, workers: 1 },
  { memory: 260e6, workers: 1 },
  { memory: 300e6, workers: 1 },
  { memory: 500e6, workers: 3 },
];
/** What the sweep is given; alone it takes more than twice as much. */
const SWEEP_BYTES = 640e6;

const SPEC = `name: memory
model: spark-nano
tasks: [ruler/niah_single_1]
context: 4096
samples: 1
cache: [full]
`;

export const memory: Suite = {
  name: 'memory',
  async run(context: Context): Promise<readonly Row[]> {
    const group = memoryGroup(SWEEP_BYTES);
    if (group === undefined) context.log('no control groups here: limits are those of --memory');
    group?.close();
    const rows = [refusals(context), sweep(context)];
    return Promise.resolve(rows);
  },
};

/** In a group of that size, where there are groups; else the program is told. */
function runWithin(bytes: number, args: readonly string[]): Outcome {
  const group = memoryGroup(bytes);
  if (group === undefined) return sparkEval([...args, '--memory', `${Math.floor(bytes / 1e6)}MB`]);
  try {
    return group.run(args);
  } finally {
    group.close();
  }
}

function refusals(context: Context): Row {
  const faults: string[] = [];
  let largest = 0;
  let cases = 0;
  for (const { memory: bytes, workers } of TOO_LITTLE) {
    if (context.over()) break;
    cases++;
    const folder = join(context.folder, `refusal-${cases}`);
    mkdirSync(folder);
    const out = join(folder, 'out');
    const args = ['run', writeSpec(folder, SPEC), '--engine', 'wasm', '--progress', 'none'];
    const refused = runWithin(bytes, [...args, '--workers', String(workers)]);
    const said = errorFaults(refused, /needs about .* of memory .*, and there are \d+ MB\n {2}\S/);
    if (existsSync(out)) said.push('the output folder was made');
    const [, tokens] = /context: (\d+)/.exec(refused.stderr) ?? [];
    const [, fewer] = /--workers (\d+)/.exec(refused.stderr) ?? [];
    const proposals = [
      ...(tokens === undefined ? [] : [['--set', `context=${tokens}`, '--workers', String(workers)]]),
      ...(fewer === undefined ? [] : [['--workers', fewer]]),
    ];
    for (const proposal of proposals) {
      rmSync(out, { recursive: true, force: true });
      const outcome = runWithin(bytes, [...args, ...proposal]);
      // The least prompt of the task is longer than some contexts that fit.
      if (/is too short; with this tokenizer/.test(outcome.stderr)) continue;
      if (outcome.status === 0) largest = Math.max(largest, peakOf(out) / bytes);
      else
        said.push(
          `${proposal.join(' ')} does not fit: exit code ${outcome.status}: ${outcome.stderr.trim()}`,
        );
    }
    faults.push(...said.map((fault) => `${bytes / 1e6} MB, ${workers} workers: ${fault}`));
    context.log(`${bytes / 1e6} MB, ${workers} workers: ${said.length} faults`);
  }
  const share = `${Math.round(100 * largest)} %`;
  return {
    what: 'too little memory',
    cases,
    faults,
    figures: { 'of the limit, what was proposed took': share },
  };
}

function sweep(context: Context): Row {
  const what = `${PIPELINES} pipelines on ${TOKENS} tokens`;
  if (context.over()) throw new Skip('the time is over');
  const folder = join(context.folder, 'sweep');
  writeSmallModel(join(folder, 'model'));
  const args = ['run', writeSweep(folder), '--engine', 'wasm', '--progress', 'none'];
  const out = join(folder, 'out');
  const runs = [undefined, SWEEP_BYTES].map((limit) => {
    rmSync(out, { recursive: true, force: true });
    const outcome = limit === undefined ? sparkEval(args) : runWithin(limit, args);
    if (outcome.status !== 0) return { fault: `exit code ${outcome.status}: ${outcome.stderr.trim()}` };
    context.log(`${limit === undefined ? 'without a limit' : `${limit / 1e6} MB`}: ${mib(peakOf(out))} MiB`);
    return { accuracy: readFileSync(join(out, 'accuracy.csv'), 'utf8'), peak: peakOf(out) };
  });
  const [free, limited] = runs;
  const faults = runs.flatMap(({ fault }) => fault ?? []);
  if (free?.peak !== undefined && limited?.peak !== undefined) {
    if (limited.peak > SWEEP_BYTES) faults.push(`${mib(limited.peak)} MiB, of ${mib(SWEEP_BYTES)}`);
    if (free.peak < SWEEP_BYTES) faults.push('the sweep fits without turns, which shows nothing');
    if (limited.accuracy !== free.accuracy) faults.push('other answers than without a limit');
  }
  const figures = {
    'limit, MiB': mib(SWEEP_BYTES),
    'peak RSS, MiB': mib(limited?.peak ?? 0),
    'without a limit': mib(free?.peak ?? 0),
  };
  return { what, cases: 1, faults, figures };
}

/** Peak memory of the process that wrote the records, bytes. */
function peakOf(out: string): number {
  const lines = readFileSync(join(out, 'journal.jsonl'), 'utf8').trim().split('\n');
  return Math.max(...lines.map((line) => (JSON.parse(line) as SampleRecord).peakRssBytes));
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
