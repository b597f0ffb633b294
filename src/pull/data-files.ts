/** The files of a data set: which of a repository's they are, and which of them a folder lacks. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import type { DataSet } from './data-sets.js';
import type { Repository, HubFile } from './hub.js';

/**
 * The repository's files that are at these paths, or are Parquet files right in these folders (paths that end in `/`).
 *
 * @throws UserError where one has nothing
 */
export function dataFiles(
  { repository, commit, files }: Pick<Repository, 'repository' | 'commit' | 'files'>,
  paths: readonly string[],
): HubFile[] {
  return paths.flatMap((path) => {
    const found = files.filter((file) => isMeant(file.path, path));
    if (found.length === 0) throw new UserError(`has no ${path} in commit ${commit}`, { place: repository });
    return found;
  });
}

/** The data set's paths of which `folder` has nothing. Reads no file. */
export function missingFiles({ files }: Pick<DataSet, 'files'>, folder: string): string[] {
  return files.filter((path) => !isThere(join(folder, path), path.endsWith('/')));
}

function isThere(path: string, isFolder: boolean): boolean {
  if (isFolder) return existsSync(path) && readdirSync(path).some((name) => name.endsWith('.parquet'));
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isMeant(file: string, path: string): boolean {
  if (!path.endsWith('/')) return file === path;
  return file.startsWith(path) && file.endsWith('.parquet') && !file.slice(path.length).includes('/');
}
