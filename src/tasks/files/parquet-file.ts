/**
 * Rows of Parquet files, as hubs keep data sets.
 *
 * Decides that only the rows that are asked for are kept, and what a broken file raises: an error with its path.
 * The format itself is hyparquet's; of the compressions it brings snappy, which is what hubs use. Knows nothing of
 * what a row says.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
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
  const place = resolve(path);
  try {
    const file = await asyncBufferFromFile(place);
    const metadata = await parquetMetadataAsync(file);
    const wanted = [...new Set(only === undefined ? columns : [...columns, only.column])];
    checkMetadata(place, metadata, wanted, hint);
    await checkPages(file, metadata, wanted);
    const [rowStart, rowEnd] = await rowRange(file, metadata, only);
    const rows = await parquetReadObjects({ file, metadata, columns: wanted, rowStart, rowEnd });
    return rows
      .map((value, i) => ({ value, place: `${place}:row ${rowStart + i + 1}` }))
      .filter(({ value }) => only === undefined || value[only.column] === only.equals);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `expected a Parquet file, found one that cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { place, hint, cause: error },
    );
  }
}

const digests = new Map<string, string>();

/** sha256 of a file's bytes, hex; each file is read once. Throws UserError where it cannot be read. */
export function fileDigest(path: string): string {
  const place = resolve(path);
  const digest = digests.get(place) ?? hashFile(place);
  digests.set(place, digest);
  return digest;
}

function hashFile(place: string): string {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(2 ** 20);
  try {
    const file = openSync(place, 'r');
    try {
      for (let read = 1; read > 0; hash.update(chunk.subarray(0, read))) {
        read = readSync(file, chunk, 0, chunk.length, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new UserError(`cannot read the file: ${error instanceof Error ? error.message : String(error)}`, {
      place,
      cause: error,
    });
  }
  return hash.digest('hex');
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
  const { column, equals } = only;
  const rows = await parquetReadObjects({ file, metadata, columns: [column] });
  const values = rows.map((row) => row[column] as unknown);
  return [Math.max(values.indexOf(equals), 0), values.lastIndexOf(equals) + 1];
}
