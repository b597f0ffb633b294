/**
 * Tables as CSV: one line per row, numbers in full precision and nothing else in their columns.
 *
 * The titles of table and section are the first columns and footnotes the last, by their marks; their texts are left out, so
 * that every line has the same columns. What a reader sees as one text of two numbers is two columns here.
 */
import { stringify } from 'csv-stringify/sync';
import { GAP, type Table, type TableCell } from './model.js';

interface Column {
  readonly name: string;
  /** Index of the table's column. */
  readonly from: number;
  readonly of: (cell: TableCell) => string;
}

export function csvTable({ title: table, header, align, sections }: Table): string {
  const cells = sections.flatMap(({ rows }) => rows);
  const columns = header.flatMap((name, c): Column[] => {
    const parts = [...new Set(cells.flatMap((row) => Object.keys(row[c]?.parts ?? {})))];
    if (parts.length === 0) return [{ name, from: c, of: align[c] === 'right' ? numberOf : textOf }];
    return parts.map((part) => ({
      name: part === '' ? name : `${name} ${part}`,
      from: c,
      of: ({ parts }) => text(parts?.[part]),
    }));
  });
  const lines = sections.flatMap(({ title, rows }) =>
    rows.map((row) => [
      table,
      title,
      ...columns.map(({ from, of }) => (row[from] === undefined ? '' : of(row[from]))),
      row.flatMap(({ marks = [] }) => marks).join(' '),
    ]),
  );
  return stringify([['table', 'section', ...columns.map(({ name }) => name), 'footnotes'], ...lines], {
    record_delimiter: 'unix',
  }).trimEnd();
}

/** The number behind a text, or one that is written in full; else nothing. */
function numberOf({ text: shown, value }: TableCell): string {
  if (value !== undefined) return text(value);
  return shown.trim() !== '' && Number.isFinite(Number(shown)) ? shown : '';
}

function textOf({ text: shown, value }: TableCell): string {
  return value === undefined ? (shown === GAP ? '' : shown) : text(value);
}

function text(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}
