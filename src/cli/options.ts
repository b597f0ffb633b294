/**
 * Options that several commands share.
 *
 * Nothing heavy is loaded: `--help` reads all of them.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { SpecFlags } from '../experiment/flags.js';
import { parseRedisUrl } from '../queue/address.js';
import type { Shard } from '../results/types.js';
import { parseShard } from '../experiment/shard.js';

/** `--set path=value`, any number of times. */
export function setOption(): Option {
  return manyOption(
    '--set <path=value>',
    'override a field of the spec, e.g. --set cache.1.spark.ratio=0.8 (repeatable)',
  );
}

/** An option that may be given any number of times. */
function manyOption(flags: string, help: string): Option {
  return new Option(flags, help)
    .default([], 'none')
    .argParser((value: string, previous: string[]) => [...previous, value]);
}

/** The spec and the options that change it. */
export function addSpec(command: Command): Command {
  return command
    .argument('<spec>', 'spec file (YAML), or - for standard input')
    .addOption(setOption())
    .addOption(
      new Option(
        '--output <folder>',
        "result folder, in place of the spec's (relative to the working directory)",
      ),
    )
    .addOption(
      new Option('--samples <n>', 'samples of every task; all: every row of tasks on files').argParser(
        samplesOf,
      ),
    )
    .addOption(new Option('--limit <n>', 'the same as --samples').conflicts('samples').argParser(samplesOf))
    .addOption(manyOption('--model <model>', "a name or a path, in place of the spec's (repeatable)"))
    .addOption(
      manyOption('--task <task>', "a task, a family or a label, in place of the spec's (repeatable)"),
    );
}

/** Fields of the spec that were given as options. */
export function flagsOf({ output, samples, limit, model, task }: SpecOptions): SpecFlags {
  return { output, samples: samples ?? limit, models: model, tasks: task };
}

/** The options that change a spec, as another command would be given them. */
export function specArguments({ set, output, samples, limit, model, task }: SpecOptions): string[] {
  const count = samples ?? limit;
  return [
    ...set.flatMap((override) => ['--set', override]),
    ...(output === undefined ? [] : ['--output', output]),
    ...(count === undefined ? [] : ['--samples', String(count)]),
    ...model.flatMap((name) => ['--model', name]),
    ...task.flatMap((name) => ['--task', name]),
  ];
}

function samplesOf(text: string): number | 'all' {
  if (text === 'all') return text;
  if (/^[1-9]\d{0,5}$|^1000000$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 1 to 1000000, or all.');
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON');
}

export function engineOption(help = 'auto takes the fastest that is installed (spark-eval doctor)'): Option {
  return new Option('--engine <name>', help)
    .choices(['auto', 'gpu', 'native', 'wasm', 'cpu'])
    .default('auto');
}

export function progressOption(): Option {
  return new Option('--progress <form>', 'auto: a bar on a terminal, a line every few seconds elsewhere')
    .choices(['auto', 'json', 'none'])
    .default('auto');
}

/** `--workers N`. */
export function workersOption(): Option {
  return new Option(
    '--workers <n>',
    'processes that compute samples, on wasm or native; each loads the model and takes its share of the processors',
  )
    .default(1)
    .argParser((value: string) => {
      if (/^[1-9]\d{0,2}$/.test(value)) return Number(value);
      throw new InvalidArgumentError('Expected a whole number from 1 to 999.');
    });
}

/** `--threads N`. */
export function threadsOption(): Option {
  return new Option(
    '--threads <n>',
    'threads of each process that computes (default: its share of the processors); results do not depend on it',
  ).argParser((value: string) => {
    if (/^[1-9]\d{0,2}$/.test(value)) return Number(value);
    throw new InvalidArgumentError('Expected a whole number from 1 to 999.');
  });
}

const UNITS: Readonly<Record<string, number>> = {
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `--memory SIZE`, in bytes. */
export function memoryOption(): Option {
  return new Option(
    '--memory <size>',
    "memory that the run may take, e.g. 8GB (default: all of the machine's, or the container's); caches that do not fit take turns",
  ).argParser((value: string) => {
    const [, number, unit] = /^(\d+(?:\.\d+)?) ?([MGT]i?B)$/.exec(value) ?? [];
    if (number !== undefined && unit !== undefined) return Number(number) * UNITS[unit]!;
    throw new InvalidArgumentError('Expected a number with a unit: 800MB, 8GB, 7.5GiB.');
  });
}

/** `--shard i/n`. */
export function shardOption(): Option {
  return new Option(
    '--shard <i/n>',
    'the i-th of n parts of the samples; its results go to OUTPUT/shards/i-of-n (then: spark-eval merge)',
  ).argParser(parseShard);
}

/** `--queue URL`. */
export function queueOption(): Option {
  return new Option(
    '--queue <url>',
    'let workers compute (spark-eval worker), over a Redis: redis://host:port/database, or rediss://',
  ).argParser((url: string) => parseRedisUrl(url));
}

export interface ShardOptions {
  readonly shard?: Shard;
}

export interface SpecOptions {
  readonly set: readonly string[];
  readonly output?: string;
  readonly samples?: number | 'all';
  readonly limit?: number | 'all';
  readonly model: readonly string[];
  readonly task: readonly string[];
}

export interface JsonOptions {
  readonly json?: boolean;
}

export interface UseOptions {
  readonly use: readonly string[];
}

/** `--use FILE`, any number of times. */
export function useOption(): Option {
  return manyOption('--use <file>', 'a plug-in with methods or tasks: a file or a package (repeatable)');
}
