/**
 * Result folders as victims: run, workers, shards, merge.
 *
 * The spec is as small as a run can be; a finished folder has every record once, the tables of an undisturbed run byte
 * for byte, and no file beside them.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAM } from '../../e2e/support.js';
import type { Finished, Victim, VictimMaker } from './victim.js';

const SAMPLES = 6;
const PIPELINES = 3;
export const RECORDS = SAMPLES * PIPELINES;
export const RESULT_FILES = ['accuracy.csv', 'journal.jsonl', 'manifest.json', 'memory.csv', 'results.csv'];

export const run: VictimMaker = (folder) => resultVictim(folder, 'run', []);
export const workers: VictimMaker = (folder) => resultVictim(folder, 'run --workers 2', ['--workers', '2']);

/** With two pipelines that cannot be applied: one by one, and with weights of its own, to any sample. */
export const inapplicable: VictimMaker = (folder) => {
  const more = [
    'think: { ratio: 0.001 }',
    'recalkv: { ratio: 0.01, ranks: uniform, samples: 1, length: 32 }',
  ];
  const spec = writeSpec(folder, more);
  const out = join(folder, 'out');
  const accuracy = reference(folder, spec, 1);
  return {
    ...base('run, not all applicable', ['run', spec, '--engine', 'wasm', '--progress', 'none'], out),
    exitCode: 1,
    faults: () =>
      folderFaults(out, { records: RECORDS + SAMPLES * more.length, files: RESULT_FILES, accuracy }),
  };
};

/** The first of two shards. */
export const shard: VictimMaker = (folder) => {
  const spec = writeSpec(folder);
  const out = join(folder, 'out/shards/1-of-2');
  return {
    ...base('run --shard 1/2', ['run', spec, '--engine', 'wasm', '--shard', '1/2'], out),
    faults: () => folderFaults(out, { records: RECORDS / 2, files: ['journal.jsonl', 'manifest.json'] }),
  };
};

export const merge: VictimMaker = (folder) => {
  const spec = writeSpec(folder);
  const made = join(folder, 'shards');
  const out = join(folder, 'out');
  const accuracy = reference(folder, spec);
  for (const index of [1, 2]) must(['run', spec, '--engine', 'wasm', '--shard', `${index}/2`]);
  cpSync(join(out, 'shards'), made, { recursive: true });
  const sources = ['1-of-2', '2-of-2'].map((name) => join(made, name));
  const untouched = sources.map((path) => snapshot(path));
  return {
    ...base('merge', ['merge', ...sources, '--output', out], out),
    faults: () => [
      ...folderFaults(out, { records: RECORDS, files: RESULT_FILES, accuracy }),
      ...sources.filter((path, s) => snapshot(path) !== untouched[s]).map((path) => `${path} was changed`),
    ],
  };
};

function resultVictim(folder: string, name: string, options: readonly string[]): Victim {
  const spec = writeSpec(folder);
  const out = join(folder, 'out');
  const accuracy = reference(folder, spec);
  return {
    ...base(name, ['run', spec, '--engine', 'wasm', '--progress', 'none', ...options], out),
    faults: () => folderFaults(out, { records: RECORDS, files: RESULT_FILES, accuracy }),
  };
}

function base(name: string, args: readonly string[], out: string): Omit<Victim, 'faults'> {
  return {
    name,
    args,
    env: {},
    watched: out,
    reset: () => {
      rmSync(out, { recursive: true, force: true });
    },
    finished: () => journalLines(out),
    close: () => undefined,
  };
}

/**
 * Writes the spec, with `folder/out` as its output, and its data: short prompts and answers, so that a run is quick.
 *
 * @param more pipelines beside the usual ones, in YAML
 */
export function writeSpec(folder: string, more: readonly string[] = []): string {
  mkdirSync(folder, { recursive: true });
  const [path, data] = [join(folder, 'spec.yaml'), join(folder, 'rows.jsonl')];
  const words = 'the grass is green the sky is blue the sun is yellow here we go there and back again'.split(
    ' ',
  );
  const rows = Array.from({ length: SAMPLES }, (_, row) => ({
    context: Array.from({ length: 100 }, (_word, at) => words[(at + row) % words.length]).join(' '),
    question: 'What is the grass?',
    answers: ['green'],
  }));
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(
    path,
    `name: kills
model: spark-nano
tasks: [{ file: ${JSON.stringify(data)}, scorer: f1, max_new_tokens: 8 }]
context: 512
samples: ${SAMPLES}
cache:
  - streaming_llm: { budget: 64 }
  - think: { ratio: 0.5 }
${more.map((pipeline) => `  - ${pipeline}\n`).join('')}output: ${JSON.stringify(join(folder, 'out'))}
`,
  );
  return path;
}

/** accuracy.csv of an undisturbed run in one process. */
export function reference(folder: string, spec: string, exitCode = 0): string {
  const output = join(folder, 'reference');
  must(['run', spec, '--engine', 'wasm', '--progress', 'none', '--set', `output=${output}`], exitCode);
  return readFileSync(join(output, 'accuracy.csv'), 'utf8');
}

function must(args: readonly string[], exitCode = 0): void {
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
  if (status !== exitCode) throw new Error(`${args.join(' ')}: exit code ${status}: ${stderr}`);
}

/** The whole lines of a journal by cell and sample. */
export function journalLines(folder: string): Finished[] {
  const path = join(folder, 'journal.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const { cell, sample } = JSON.parse(line) as { cell: string; sample: number };
    return [`${cell}/${sample}`, line];
  });
}

interface Expected {
  readonly records: number;
  readonly files: readonly string[];
  readonly accuracy?: string;
}

/** What is wrong in a finished result folder. */
export function folderFaults(folder: string, { records, files, accuracy }: Expected): string[] {
  const found = existsSync(folder) ? readdirSync(folder).sort() : [];
  if (found.join() !== files.join())
    return [`expected ${files.join(', ')} in ${folder}, found ${found.join(', ')}`];
  const lines = journalLines(folder);
  const faults: string[] = [];
  if (lines.length !== records) faults.push(`expected ${records} records, found ${lines.length}`);
  if (accuracy !== undefined && readFileSync(join(folder, 'accuracy.csv'), 'utf8') !== accuracy)
    faults.push('accuracy.csv is not that of an undisturbed run');
  return faults;
}

function snapshot(folder: string): string {
  return JSON.stringify(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
