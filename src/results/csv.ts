/**
 * How a result table is written as CSV.
 *
 * Numbers are the shortest text that reads back as the same number; what is not known is empty.
 */
import { stringify } from 'csv-stringify/sync';
import type { CellInfo } from './types.js';

export type CsvValue = string | number | boolean | undefined;

/** One row per cell: the columns that name it, then `measured(i)`, which has the same columns for every row. */
export function cellTable(
  cells: readonly CellInfo[],
  columns: readonly string[],
  measured: (index: number) => readonly CsvValue[],
): string {
  const params = [...new Set(cells.flatMap((cell) => Object.keys(cell.params)))].sort();
  const header = ['model', 'task', 'context', 'pipeline', 'seed', ...params, 'question', ...columns];
  const rows = cells.map((cell, index) => [
    cell.model,
    cell.task,
    cell.context,
    cell.pipeline,
    cell.seed,
    ...params.map((name) => cell.params[name]),
    cell.question,
    ...measured(index),
  ]);
  return stringify([header, ...rows.map((row) => row.map(csvText))], { record_delimiter: 'unix' });
}

/** Nothing for what is not known. */
export function csvText(value: CsvValue): string {
  return value === undefined ? '' : String(value);
}
