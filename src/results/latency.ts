/**
 * latency.csv: how fast each pipeline's row is when it runs alone.
 *
 * Rows of a sample that decode together share their time, so that none of it can be told of one of them. Of every measure the
 * median, the least and the most of the repeats.
 */
import { cellTable, type CsvValue } from './csv.js';
import { median } from './statistics.js';
import type { CellInfo } from './types.js';

/** What a spec asks for. */
export interface LatencySettings {
  /** Tokens that are decoded one by one, behind the first. */
  readonly tokens: number;
  /** Rounds that do not count. */
  readonly warmup: number;
  readonly repeats: number;
}

/** One pipeline on the first sample of its task; seconds, a number a repeat. */
export interface Latency {
  readonly promptTokens: number;
  readonly prefill: readonly number[];
  readonly compression: readonly number[];
  /** Of one token: the median of those of a repeat. */
  readonly token: readonly number[];
}

const MEASURES = ['prefill', 'compression', 'token'] as const;

const COLUMNS = [
  'engine',
  'threads',
  'prompt_tokens',
  'tokens',
  'repeats',
  ...MEASURES.flatMap((name) => [`${name}_seconds`, `${name}_seconds_min`, `${name}_seconds_max`]),
] as const;

/**
 * The bytes of latency.csv.
 *
 * @param measured by the key of the cell; a cell that is not there has no numbers: its pipeline cannot be applied
 */
export function latencyCsv(
  cells: readonly CellInfo[],
  measured: ReadonlyMap<string, Latency>,
  { tokens, repeats }: LatencySettings,
  engine: { readonly name: string; readonly threads: number },
): string {
  return cellTable(cells, COLUMNS, (index): CsvValue[] => {
    const found = measured.get(cells[index]!.key);
    const facts = [engine.name, engine.threads, found?.promptTokens, tokens, repeats];
    if (found === undefined) return [...facts, ...MEASURES.flatMap(() => [undefined, undefined, undefined])];
    return [
      ...facts,
      ...MEASURES.flatMap((name) => {
        const seconds = found[name];
        return [median(seconds), Math.min(...seconds), Math.max(...seconds)];
      }),
    ];
  });
}
