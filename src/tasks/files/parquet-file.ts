/**
 * Rows of Parquet files, as hubs keep data sets.
 *
 * Only the rows that are asked for are kept, and a broken file is an error with its path. The format itself is hyparquet's;
 * of the compressions it brings snappy, which is what hubs use.
 */
import { resolve } from 'node:path';
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
} from 'hyparquet';
import { UserError } from '../../base/errors.js';
import { checkPages } from './parquet-pages.js';
import type { FileRecord } from './record-file.js';

/** Larger files are refused: no data set of evaluation samples has as many rows. */
const MAX_ROWS = 1_000_000;

export interface RowChoice {
  readonly column: string;
  readonly equals: string;
}

/**
 * Rows of a file in their order, each with the place `path:row n` (1-based), of which only `columns` are read.
 *
 * @param only rows that have this value
 * @param hint says where such a file comes from
 * @throws UserError where the file cannot be read, is not Parquet, is broken, or has not these columns
 */
export async function readParquetRows(
  path: string,
  columns: readonly string[],
  { only, hint }: { readonly only?: RowChoice; readonly hint: string },
): Promise<FileRecord[]> {
  const wanted = [...new Set(only === undefined ? columns : [...columns, only.column])];
  return await opened(path, wanted, hint, async (file, metadata, place) => {
    await checkPages(file, metadata, wanted);
    const [rowStart, rowEnd] = await rowRange(file, metadata, only);
    const rows = await parquetReadObjects({ file, metadata, columns: wanted, rowStart, rowEnd });
    return rows
      .map((value, i) => ({ value, place: `${place}:row ${rowStart + i + 1}` }))
      .filter(({ value }) => only === undefined || value[only.column] === only.equals);
  });
}

/**
 * How many rows a file has, or how many of the choice.
 *
 * @throws UserError as `readParquetRows`
 */
export async function countParquetRows(
  path: string,
  columns: readonly string[],
  { only, hint }: { readonly only?: RowChoice; readonly hint: string },
): Promise<number> {
  return await opened(path, columns, hint, async (file, metadata) => {
    if (only === undefined) return Number(metadata.num_rows);
    await checkPages(file, metadata, [only.column]);
    return (await valuesOf(file, metadata, only.column)).filter((value) => value === only.equals).length;
  });
}

/** What `use` makes of a file that has these columns; whatever it throws is told with the file's path. */
async function opened<T>(
  path: string,
  columns: readonly string[],
  hint: string,
  use: (file: AsyncBuffer, metadata: FileMetaData, place: string) => Promise<T>,
): Promise<T> {
  const place = resolve(path);
  try {
    const file = await asyncBufferFromFile(place);
    const metadata = await parquetMetadataAsync(file);
    checkMetadata(place, metadata, columns, hint);
    return await use(file, metadata, place);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `expected a Parquet file, found one that cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { place, hint, cause: error },
    );
  }
}

function checkMetadata(
  place: string,
  metadata: FileMetaData,
  columns: readonly string[],
  hint: string,
): void {
  const present = parquetSchema(metadata).children.map(({ element }) => element.name);
  const missing = columns.filter((column) => !present.includes(column));
  if (missing.length > 0) {
    throw new UserError(`expected the columns ${columns.join(', ')}, found ${present.join(', ')}`, {
      place,
      hint,
    });
  }
  if (metadata.num_rows > MAX_ROWS) {
    throw new UserError(`expected at most ${MAX_ROWS} rows, found ${metadata.num_rows.toString()}`, {
      place,
      hint,
    });
  }
}

/** From the first row of the choice up to the last: data sets keep equal ones together, and only they are decoded. */
async function rowRange(
  file: AsyncBuffer,
  metadata: FileMetaData,
  only: RowChoice | undefined,
): Promise<readonly [number, number]> {
  if (only === undefined) return [0, Number(metadata.num_rows)];
  const values = await valuesOf(file, metadata, only.column);
  return [Math.max(values.indexOf(only.equals), 0), values.lastIndexOf(only.equals) + 1];
}

async function valuesOf(file: AsyncBuffer, metadata: FileMetaData, column: string): Promise<unknown[]> {
  const rows = await parquetReadObjects({ file, metadata, columns: [column] });
  return rows.map((row) => row[column] as unknown);
}
