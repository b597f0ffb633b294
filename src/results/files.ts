/**
 * Writing to a result folder.
 *
 * Another folder is suggested where this one cannot be written, and what killed writers left is cleared away.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { diskError, makeFolders, replaceFile } from '../base/disk.js';

const ELSEWHERE = 'Choose another output folder: --output FOLDER.';

/** Makes the folder and those above it. Throws UserError where that cannot be. */
export function makeFolder(path: string): void {
  makeFolders(path, 'create the result folder', ELSEWHERE);
}

/**
 * Replaces a file in one step; it is either the old one or the new one, never half of it.
 *
 * @param text all of it, or its pieces, which together may be longer than a string may be
 */
export function writeAtomically(path: string, text: string | readonly string[]): void {
  replaceFile(path, text, ELSEWHERE);
}

/** Removes what killed writers of these files left beside them. Only for whoever alone may write to the folder. */
export function removeUnfinished(folder: string, names: readonly string[]): void {
  try {
    for (const entry of readdirSync(folder)) {
      const name = /^(.+)\.\d+\.tmp$/.exec(entry)?.[1];
      if (name !== undefined && names.includes(name)) rmSync(join(folder, entry), { force: true });
    }
  } catch (error) {
    throw fileError(error, folder, 'tidy up the result folder');
  }
}

/** An operating system's error as a UserError; other errors are given back as they are. */
export function fileError(error: unknown, path: string, action: string): Error {
  return diskError(error, path, action, ELSEWHERE);
}
