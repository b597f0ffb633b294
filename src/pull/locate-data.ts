/**
 * What is there of a data set.
 *
 * Its files are complete when each of the catalogue's paths is a file, or a folder with a Parquet file in it. Reads no
 * file.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSet } from './data-sets.js';

/** The catalogue's paths of which `folder` has nothing. */
export function missingFiles({ files }: Pick<DataSet, 'files'>, folder: string): string[] {
  return files.filter((path) => !isThere(join(folder, path), path.endsWith('/')));
}

function isThere(path: string, isFolder: boolean): boolean {
  if (isFolder) return existsSync(path) && readdirSync(path).some((name) => name.endsWith('.parquet'));
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
