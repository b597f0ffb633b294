/**
 * accuracy.csv: what each cell scored, and what it lost against `full`.
 *
 * A pure function of cells and records: order, times and resumes leave no trace. Scores are in per cent.
 */
import { type CellResult, isFull, scorePercent } from './cell-results.js';
import { cellTable, type CsvValue } from './csv.js';
import { scoreInterval } from './interval.js';
import { signFlipPValue, standardError } from './statistics.js';

const COLUMNS = [
  'samples',
  'truncated',
  'score',
  'stderr',
  'ci95_low',
  'ci95_high',
  'full_score',
  'delta',
  'relative_delta',
  'p_value',
] as const;

/** The bytes of accuracy.csv. */
export function accuracyCsv(results: readonly CellResult[]): string {
  return cellTable(
    results.map((result) => result.cell),
    COLUMNS,
    (index) => accuracyRow(results[index]!),
  );
}

function accuracyRow({ cell, records, paired }: CellResult): CsvValue[] {
  const score = scorePercent(records);
  const error = standardError(records.map((record) => 100 * record.score));
  const interval = scoreInterval(records.map((record) => record.score))?.map((bound) => 100 * bound);
  return [
    records.length,
    records.filter((record) => record.truncated).length,
    score,
    error,
    interval?.[0],
    interval?.[1],
    ...(isFull(cell) ? baseline(score) : comparison(paired)),
  ];
}

/** full_score, delta, relative_delta and p_value of `full` itself. */
function baseline(score: number | undefined): CsvValue[] {
  return score === undefined
    ? [undefined, undefined, undefined, undefined]
    : [score, 0, score === 0 ? undefined : 0, undefined];
}

/** full_score, delta, relative_delta and p_value on the samples that both have. */
function comparison(paired: CellResult['paired']): CsvValue[] {
  if (paired === undefined) return [undefined, undefined, undefined, undefined];
  const full = scorePercent(paired.map((pair) => pair.full))!;
  const delta = scorePercent(paired.map((pair) => pair.own))! - full;
  return [
    full,
    delta,
    full === 0 ? undefined : delta / full,
    signFlipPValue(paired.map(({ own, full: reference }) => own.score - reference.score)),
  ];
}
