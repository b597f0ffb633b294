/**
 * `spark-eval slurm SPEC.yaml`: the spec as jobs of a SLURM cluster.
 *
 * Nothing is submitted unless it is asked for.
 */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EngineName } from '../../engine/types.js';
import { UserError } from '../../base/errors.js';
import { PACKAGE_FOLDER } from '../../base/package.js';
import { MAX_SHARDS } from '../../results/types.js';
import { readSpec } from '../catalogue.js';
import { plural, shellCommand } from '../format.js';
import {
  addSpec,
  engineOption,
  jsonOption,
  type JsonOptions,
  specArguments,
  type SpecOptions,
  threadsOption,
  workersOption,
} from '../options.js';
import type { Session } from '../session.js';
import { mergeScript, runScript } from '../slurm-script.js';

interface SlurmOptions extends SpecOptions, JsonOptions {
  readonly engine: EngineName | 'auto';
  readonly workers: number;
  readonly threads?: number;
  readonly shards: number;
  readonly atOnce?: number;
  readonly partition?: string;
  readonly gres?: string;
  readonly time?: string;
  readonly submit?: boolean;
}

export function addSlurm(root: Command, session: Session): void {
  addSpec(root.command('slurm').description('write SLURM jobs: an array of shards, and one that merges them'))
    .argument('[sbatch...]', 'after "--": options of sbatch for both jobs, e.g. -- --mem=32G --account=me')
    .addOption(new Option('--shards <n>', 'tasks of the array').default(8).argParser(count))
    .addOption(
      new Option('--at-once <n>', 'most tasks that run at a time (default: no limit)').argParser(count),
    )
    .option('--partition <name>', 'for both jobs')
    .option('--gres <list>', 'resources of each shard, e.g. gpu:1')
    .option('--time <limit>', 'of each job, e.g. 12:00:00; what is finished when it ends is kept')
    .addOption(engineOption())
    .addOption(workersOption())
    .addOption(threadsOption())
    .option('--submit', 'call sbatch')
    .addOption(jsonOption())
    .action((file: string, sbatch: string[], options: SlurmOptions) => slurm(file, sbatch, options, session));
}

async function slurm(
  file: string,
  sbatch: readonly string[],
  options: SlurmOptions,
  session: Session,
): Promise<void> {
  checkSbatchOptions(sbatch, session);
  const { locate, STANDARD_INPUT } = await import('../../experiment/spec-text.js');
  if (file === STANDARD_INPUT) {
    throw new UserError('expected a spec file: each job of the cluster reads it again', {
      place: file,
      hint: 'Write the spec to a file first.',
      exitCode: 2,
    });
  }
  const spec = await readSpec(file, options);
  const { makeFolder, writeAtomically } = await import('../../results/files.js');
  const { shards, atOnce, partition, gres, time } = options;
  const folder = join(spec.output, 'slurm');
  const job = {
    name: spec.name,
    output: spec.output,
    folder,
    directory: process.cwd(),
    program: [process.execPath, join(PACKAGE_FOLDER, 'bin', 'spark-eval.js')],
    run: ['run', resolve(locate(file)), ...runOptions(options)],
    ...{ shards, atOnce, partition, gres, time, options: sbatch },
  };
  const [run, merge] = [join(folder, 'run.sbatch'), join(folder, 'merge.sbatch')];
  const texts = [runScript(job), mergeScript(job)] as const;
  makeFolder(folder);
  writeAtomically(run, texts[0]);
  writeAtomically(merge, texts[1]);
  session.note(`wrote ${run} (${plural(shards, 'shard')}) and ${merge}; logs go beside them`);
  const written = { run, merge, shards };
  if (options.submit === true) {
    const jobs = submit(run, merge, session);
    if (options.json === true) session.printJson({ ...written, jobs });
  } else if (options.json === true) session.printJson({ ...written, commands: commands(run, merge) });
  else for (const line of commands(run, merge)) session.print(line);
}

/** Options of `run` that the shards get, too. */
function runOptions({ engine, workers, threads, ...options }: SlurmOptions): string[] {
  return [
    ...specArguments(options),
    ...(engine === 'auto' ? [] : ['--engine', engine]),
    ...(workers === 1 ? [] : ['--workers', String(workers)]),
    ...(threads === undefined ? [] : ['--threads', String(threads)]),
  ];
}

function checkSbatchOptions(options: readonly string[], session: Session): void {
  if (options.length > 0 && !session.args.includes('--')) {
    throw new UserError(`unexpected argument "${options[0]!}"`, {
      hint: 'Options of sbatch come after "--": spark-eval slurm SPEC.yaml -- --mem=32G.',
      exitCode: 2,
    });
  }
  const own = options.find((option) => /^(--(array|dependency)\b|-[ad])/.test(option));
  if (own === undefined) return;
  throw new UserError(`"${own}" is what spark-eval sets itself`, {
    place: 'after "--"',
    hint: 'The array is --shards and --at-once; the merge job waits for the array.',
    exitCode: 2,
  });
}

/** What the user may type; sbatch answers with the job's number, and on several clusters `;` and the cluster's name. */
function commands(run: string, merge: string): string[] {
  return [
    `job=$(sbatch --parsable ${shellCommand([run])})`,
    `sbatch --dependency="afterany:\${job%%;*}" ${shellCommand([merge])}`,
  ];
}

/** The numbers of the jobs. */
function submit(
  run: string,
  merge: string,
  session: Session,
): { readonly run: string; readonly merge: string } {
  const array = sbatch(
    [run],
    'Submit on a machine of the cluster; "spark-eval slurm" without --submit prints the commands.',
  );
  session.note(`array job ${array} is submitted`);
  const dependency = `--dependency=afterany:${array}`;
  const second = sbatch(
    [dependency, merge],
    `The shards are submitted; go on with: ${shellCommand(['sbatch', dependency, merge])}`,
  );
  session.note(`merge job ${second} is submitted; it starts when all shards have ended`);
  return { run: array, merge: second };
}

/** The number of the job. */
function sbatch(args: readonly string[], hint: string): string {
  const { error, status, stdout, stderr } = spawnSync('sbatch', ['--parsable', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (error !== undefined) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserError(missing ? 'sbatch is not installed here' : `cannot start sbatch: ${error.message}`, {
      place: '--submit',
      hint,
    });
  }
  const number = /^(\d+)(;.*)?$/m.exec(stdout)?.[1];
  if (status === 0 && number !== undefined) return number;
  throw new UserError(`sbatch refused the job: ${(stderr || stdout).trim()}`, { place: '--submit', hint });
}

function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= MAX_SHARDS) return value;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MAX_SHARDS}.`);
}
