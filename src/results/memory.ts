/**
 * memory.csv: what each cell stored.
 *
 * Bytes and tokens are means per sample, ratios are of sums. Times are in latency.csv: rows of a sample share theirs.
 */
import type { CellResult } from './cell-results.js';
import { cellTable, type CsvValue } from './csv.js';
import { mean } from './statistics.js';
import type { SampleRecord } from './types.js';

const PARTS = ['value', 'mask', 'sign', 'scale', 'index', 'latent'] as const;

const COLUMNS = [
  'samples',
  'kept_tokens_mean',
  'full_bytes',
  'stored_bytes',
  ...PARTS.map((part) => `${part}_bytes`),
  'stored_over_full',
  'paper_over_full',
] as const;

/** The bytes of memory.csv. */
export function memoryCsv(results: readonly CellResult[]): string {
  return cellTable(
    results.map((result) => result.cell),
    COLUMNS,
    (index) => memoryRow(results[index]!.records),
  );
}

/** Bytes of all parts together. */
export function storedBytes(record: SampleRecord): number {
  return PARTS.reduce((total, part) => total + record.storedBytes[part], 0);
}

/** Σ stored / Σ full; undefined without records. */
export function storedOverFull(records: readonly SampleRecord[]): number | undefined {
  return ratio(records, storedBytes, (record) => record.fullBytes);
}

function memoryRow(records: readonly SampleRecord[]): CsvValue[] {
  if (records.length === 0) return [0, ...COLUMNS.slice(1).map(() => undefined)];
  const average = (of: (record: SampleRecord) => number): number => mean(records.map(of));
  return [
    records.length,
    average((record) => record.keptTokens),
    average((record) => record.fullBytes),
    average(storedBytes),
    ...PARTS.map((part) => average((record) => record.storedBytes[part])),
    storedOverFull(records),
    ratio(
      records,
      (record) => record.paperBytes,
      (record) => record.fullBytes,
    ),
  ];
}

/** Sum over sum; undefined where there is nothing to divide by. */
function ratio(
  records: readonly SampleRecord[],
  over: (record: SampleRecord) => number,
  under: (record: SampleRecord) => number,
): number | undefined {
  const sum = (of: (record: SampleRecord) => number): number =>
    records.reduce((total, record) => total + of(record), 0);
  const divisor = sum(under);
  return divisor === 0 ? undefined : sum(over) / divisor;
}
