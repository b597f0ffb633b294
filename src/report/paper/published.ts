/**
 * The published numbers that ship with the package, `datasets/published/*.csv`.
 *
 * Plain CSV (`datasets/published/*.csv`), an empty value where nothing was published.
 */
import { readDataFile, shippedFile } from '../../tasks/files/data-file.js';

export type PublishedRow = Readonly<Record<string, string>>;

/** Rows of a file by column. */
export function publishedRows(name: string): PublishedRow[] {
  const [header, ...lines] = readDataFile(shippedFile(`published/${name}`))
    .text.trim()
    .split(/\r?\n/);
  const columns = header!.split(',');
  return lines.map((line) => {
    const values = line.split(',');
    if (values.length !== columns.length) {
      throw new Error(`${name}: expected ${columns.length} values, found ${line}`);
    }
    return Object.fromEntries(columns.map((column, index) => [column, values[index]!]));
  });
}

/** A number of a row; undefined where the value is empty. */
export function published(row: PublishedRow, column: string): number | undefined {
  const text = row[column];
  if (text === undefined) throw new Error(`no column ${column}`);
  return text === '' ? undefined : Number(text);
}
