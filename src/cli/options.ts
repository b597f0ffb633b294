/**
 * Options that several commands share.
 *
 * Decides their names, values and help. Loads nothing.
 */
import { InvalidArgumentError, Option } from 'commander';

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

export function engineOption(): Option {
  return new Option('--engine <name>', 'auto takes the fastest that is installed (spark-eval doctor)')
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
    'processes that compute samples, for --engine wasm; each loads the model',
  )
    .default(1)
    .argParser((value: string) => {
      if (/^[1-9]\d{0,2}$/.test(value)) return Number(value);
      throw new InvalidArgumentError('Expected a whole number from 1 to 999.');
    });
}

export interface SpecOptions {
  readonly set: readonly string[];
}

export interface JsonOptions {
  readonly json?: boolean;
}
