/**
 * The rows of one task of a hub's copy: all Parquet files of a folder, in the order of their names.
 *
 * Only the rows of the folder that was asked for last are held: a run goes through one task at a time, and they are large.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../base/errors.js';
import type { DataFiles } from './data-files.js';
import { countParquetRows, readParquetRows, type RowChoice } from './parquet-file.js';
import { noSuchSample, type FileRecord } from './record-file.js';

/** Paths of the files. Throws UserError where there is none; `hint` says where they come from. */
export function parquetFiles(folder: string, hint: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.parquet')) : [];
  if (names.length === 0) throw new UserError('expected Parquet files, found none', { place: folder, hint });
  return names.sort().map((name) => join(folder, name));
}

export interface ParquetChoice {
  readonly columns: readonly string[];
  /** Rows that have this value. */
  readonly only?: RowChoice;
  /** Where such a folder comes from. */
  readonly hint: string;
}

export interface ParquetTable {
  readonly rows: number;
  /** Of a 0-based index. Rejects with UserError where there is none. */
  record(index: number): Promise<FileRecord>;
}

/** The chosen rows of all files of a folder. Rejects with UserError where there is none or one is broken. */
export async function openParquetFolder(
  files: DataFiles,
  folder: string,
  { columns, ...choice }: ParquetChoice,
): Promise<ParquetTable> {
  const place = resolve(folder);
  const paths = parquetFiles(place, choice.hint);
  const key = JSON.stringify([place, columns, choice.only]);
  const count = async (): Promise<number> => {
    let rows = 0;
    for (const path of paths) rows += await countParquetRows(path, columns, choice);
    return rows;
  };
  const read = async (): Promise<FileRecord[]> => {
    const records: FileRecord[] = [];
    for (const path of paths) records.push(...(await readParquetRows(path, columns, choice)));
    return records;
  };
  return {
    rows: await files.once(`Parquet rows ${key}`, count),
    record: async (index) => {
      const records = await files.latest(`Parquet ${key}`, read);
      const record = records[index];
      if (record === undefined) throw noSuchSample(place, index, records.length);
      return record;
    },
  };
}
