/**
 * Batch scripts for SLURM: an array job of shards, and the job that joins them.
 *
 * Words are quoted for sbatch and for the shell; nothing is written or submitted here.
 */
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { shellCommand } from './format.js';
import { mergePattern } from './commands/run.js';

export interface SlurmJob {
  readonly name: string;
  /** Absolute; of the whole run. */
  readonly output: string;
  /** Where logs go; absolute. */
  readonly folder: string;
  /** Where the program is started: what relative paths of the spec are relative to. */
  readonly directory: string;
  /** `node …/spark-eval.js`, absolute. */
  readonly program: readonly string[];
  /** `run SPEC.yaml` and its options, without `--shard`. */
  readonly run: readonly string[];
  readonly shards: number;
  /** Most shards that run at a time. */
  readonly atOnce: number | undefined;
  readonly partition: string | undefined;
  /** For the shards alone. */
  readonly gres: string | undefined;
  readonly time: string | undefined;
  /** Further options of sbatch, for both jobs. */
  readonly options: readonly string[];
}

/** The array job: task i runs shard i. */
export function runScript(job: SlurmJob): string {
  const { shards, atOnce } = job;
  return script(job, {
    options: [
      `--job-name=${job.name}`,
      `--array=1-${shards}${atOnce === undefined ? '' : `%${atOnce}`}`,
      `--output=${logFile(job, 'run-%A_%a.log')}`,
      ...(job.gres === undefined ? [] : [`--gres=${job.gres}`]),
    ],
    command: `${shellCommand(job.run)} --shard "$SLURM_ARRAY_TASK_ID/${shards}"`,
  });
}

/** The job that joins what there is once all shards have ended; what is missing then is in its log. */
export function mergeScript(job: SlurmJob): string {
  return script(job, {
    options: [`--job-name=${job.name}-merge`, `--output=${logFile(job, 'merge-%j.log')}`],
    command: `merge ${mergePattern(job.output, job.shards)} --output ${shellCommand([job.output])}`,
  });
}

/** A restarted job goes on in its log; `exec` hands the signals of SLURM to the program. */
function script(
  { directory, program, partition, time, options: further }: SlurmJob,
  { options, command }: { readonly options: readonly string[]; readonly command: string },
): string {
  const lines = [
    ...[...options, '--open-mode=append'].map((option) => [option]),
    ...(partition === undefined ? [] : [[`--partition=${partition}`]]),
    ...(time === undefined ? [] : [[`--time=${time}`]]),
    ...(further.length === 0 ? [] : [further]),
  ];
  return [
    '#!/bin/sh',
    ...lines.map((words) => `#SBATCH ${words.map(directiveWord).join(' ')}`),
    '',
    `cd -- ${shellCommand([directory])} || exit 1`,
    `exec ${shellCommand(program)} ${command}`,
    '',
  ].join('\n');
}

/** `%` is doubled for sbatch to leave it as it is; a backslash cannot be kept. */
function logFile({ folder }: SlurmJob, name: string): string {
  if (/[\\\n\r]/.test(folder)) {
    throw new UserError('SLURM cannot write logs to a path with a backslash or a line break', {
      place: folder,
      hint: 'Choose another output folder: --output FOLDER.',
      exitCode: 2,
    });
  }
  return join(folder.replaceAll('%', '%%'), name);
}

/** A word of a `#SBATCH` line. */
function directiveWord(word: string): string {
  if (/^[\w@%+=:,./[\]*-]+$/.test(word)) return word;
  if (/[\n\r]/.test(word)) {
    throw new UserError('an option of sbatch cannot hold a line break', { place: word, exitCode: 2 });
  }
  return `"${word.replaceAll(/[\\"]/g, '\\$&')}"`;
}
