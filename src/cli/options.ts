/**
 * Options that several commands share.
 *
 * Decides their names, values and help. Loads nothing heavy.
 */
import { InvalidArgumentError, Option } from 'commander';
import { parseRedisUrl } from '../queue/address.js';
import type { Shard } from '../results/types.js';
import { parseShard } from '../experiment/shard.js';

/** `--set path=value`, any number of times. */
export function setOption(): Option {
  return new Option(
    '--set <path=value>',
    'override a field of the spec, e.g. --set cache.1.spark.ratio=0.8 (repeatable)',
  )
    .default([], 'none')
    .argParser((value: string, previous: string[]) => [...previous, value]);
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
}

export interface JsonOptions {
  readonly json?: boolean;
}

export interface UseOptions {
  readonly use: readonly string[];
}

/** `--use FILE`, any number of times. */
export function useOption(): Option {
  return new Option('--use <file>', 'a plug-in with methods or tasks: a file or a package; may be repeated')
    .default([], 'none')
    .argParser((value: string, before: readonly string[]) => [...before, value]);
}
