/**
 * Writing to a result folder.
 *
 * Decides that a file is either the old one or the new one, never half of it, and how a full disk or a folder that
 * may not be written reads as an error.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.js';

/** Makes the folder and those above it. Throws UserError where that cannot be. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileError(mkdirFault(path) ?? error, path, 'create the result folder');
  }
}

/** Why a folder cannot be made; Node says ENOENT of a recursive one whatever the reason. */
function mkdirFault(path: string): unknown {
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) return mkdirFault(parent);
  try {
    mkdirSync(path);
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * Replaces a file in one step: written beside it, synced, renamed.
 *
 * @param text all of it, or its pieces, which together may be longer than a string may be
 */
export function writeAtomically(path: string, text: string | readonly string[]): void {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(beside, 'w');
    try {
      for (const piece of typeof text === 'string' ? [text] : text) writeFileSync(file, piece);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(beside, { force: true });
    throw fileError(error, path, 'write');
  }
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

const AGAIN = 'Run the same command again when that is mended; what is finished is kept.';
const REASONS: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  ENOSPC: ['the disk is full', 'Free some space and run the same command again; what is finished is kept.'],
  EDQUOT: ['the disk quota is used up', 'Free some space and run the same command again; what is finished is kept.'],
  EFBIG: ['the file may not grow any further', 'Choose another output folder: --set output=FOLDER.'],
  EACCES: ['permission denied', 'Choose another output folder: --set output=FOLDER.'],
  EPERM: ['permission denied', 'Choose another output folder: --set output=FOLDER.'],
  EROFS: ['the file system is read-only', 'Choose another output folder: --set output=FOLDER.'],
  ENOTDIR: ['a part of the path is a file', 'Choose another output folder: --set output=FOLDER.'],
  EEXIST: ['a file of that name is in the way', 'Choose another output folder: --set output=FOLDER.'],
  EISDIR: ['a folder of that name is in the way', 'Choose another output folder: --set output=FOLDER.'],
  ENAMETOOLONG: ['the name is too long', 'Choose another output folder: --set output=FOLDER.'],
  ENOENT: ['it is no longer there', 'Was the folder removed or moved? Run the same command again; what is still there is kept.'],
  EIO: ['the disk reports an error', AGAIN],
  ESTALE: ['the folder of another machine is no longer the one that was opened', AGAIN],
  ETIMEDOUT: ['the disk does not answer', AGAIN],
};

/** An operating system's error as a UserError; other errors are given back as they are. */
export function fileError(error: unknown, path: string, action: string): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof UserError || code === undefined) return error as Error;
  const [reason, hint] = REASONS[code] ?? [code, AGAIN];
  return new UserError(`cannot ${action}: ${reason}`, {
    place: path,
    cause: error,
    hint,
  });
}

/** Makes a rename outlast a power cut; not every system lets a folder be synced, and then it is left alone. */
function syncFolder(path: string): void {
  let folder: number | undefined;
  try {
    folder = openSync(path, 'r');
    fsyncSync(folder);
  } catch {
    return;
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}
