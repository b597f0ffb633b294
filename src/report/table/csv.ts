/**
 * Tables as CSV: one line per row, numbers in full precision.
 *
 * Decides that the titles of table and section are the first columns and footnotes the last, by their marks; their texts are left
 * out, so that every line has the same columns.
 */
import { stringify } from 'csv-stringify/sync';
import type { Table } from './model.js';

export function csvTable({ title: table, header, sections }: Table): string {
  const rows = sections.flatMap(({ title, rows }) =>
    rows.map((row) => [
      table,
      title,
      ...header.map((_, c) => {
        const cell = row[c];
        return cell?.value === undefined ? (cell?.text ?? '') : String(cell.value);
      }),
      row.flatMap(({ marks = [] }) => marks).join(' '),
    ]),
  );
  return stringify([['table', 'section', ...header, 'footnotes'], ...rows], {
    record_delimiter: 'unix',
  }).trimEnd();
}
