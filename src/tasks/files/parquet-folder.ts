/**
 * The rows of one task of a hub's copy: all Parquet files of a folder, in the order of their names.
 *
 * Decides that only the rows of the folder that was asked for last are held: a run goes through one task at a time, and
 * they are large. Knows nothing of what a row says.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../base/errors.js';
import { readParquetRows } from './parquet-file.js';
import { noSuchSample, type FileRecord } from './record-file.js';

/** Paths of the files. Throws UserError where there is none; `hint` says where they come from. */
export function parquetFiles(folder: string, hint: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.parquet')) : [];
  if (names.length === 0) throw new UserError('expected Parquet files, found none', { place: folder, hint });
  return names.sort().map((name) => join(folder, name));
}

let loaded: { readonly folder: string; readonly records: readonly FileRecord[] } | undefined;

/** Reads these columns of a folder, which is always read with the same ones. Quick where it was the last one. */
export async function loadRecords(folder: string, columns: readonly string[], hint: string): Promise<void> {
  if (loaded?.folder === folder) return;
  const records: FileRecord[] = [];
  for (const file of parquetFiles(folder, hint)) {
    records.push(...(await readParquetRows(file, columns, { hint })));
  }
  loaded = { folder, records };
}

/** A row of the folder that was loaded last. Throws UserError where there is none of this 0-based index. */
export function loadedRecord(folder: string, index: number): FileRecord {
  if (loaded?.folder !== folder) throw new Error('sample() before prepare() has ended');
  const record = loaded.records[index];
  if (record === undefined) throw noSuchSample(folder, index, loaded.records.length);
  return record;
}
