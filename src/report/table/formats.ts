/** The formats in which tables can be written. */
import { csvTable } from './csv.js';
import { latexTable } from './latex.js';
import { markdownTable } from './markdown.js';
import type { Table } from './model.js';

const WRITERS = { md: markdownTable, csv: csvTable, latex: latexTable } as const;

export type TableFormat = keyof typeof WRITERS;

export const TABLE_FORMATS = Object.keys(WRITERS) as readonly TableFormat[];

/** Tables one after the other, an empty line between them. */
export function writeTables(tables: readonly Table[], format: TableFormat): string {
  return tables.map(WRITERS[format]).join('\n\n');
}
