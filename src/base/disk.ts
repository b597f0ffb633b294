/**
 * Writing to a disk.
 *
 * A file is the old one or the new one, never half of it, and a full or read-only disk reads as one clear error.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from './errors.js';

/**
 * Makes the folder and those above it. Throws UserError where that cannot be.
 *
 * @param action what is being done, as the error tells it: `create the result folder`
 * @param elsewhere how to choose another place, a sentence
 */
export function makeFolders(path: string, action: string, elsewhere: string): void {
  try {
    makeEach(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw diskError(error, path, action, elsewhere);
    throw new UserError(`cannot ${action}: the system takes no folder there`, {
      place: path,
      hint: elsewhere,
      cause: error,
    });
  }
}

/** Not as Node does it in one call, which never ends in a folder such as /proc, that is there but takes no other. */
function makeEach(path: string): void {
  const parent = dirname(path);
  if (!existsSync(parent)) makeEach(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

/**
 * Replaces a file in one step: written beside it, synced, renamed. Throws UserError where that cannot be.
 *
 * @param content all of it, or its pieces, which together may be longer than a string may be
 * @param elsewhere how to choose another place, a sentence
 */
export function replaceFile(
  path: string,
  content: string | Uint8Array | readonly string[],
  elsewhere: string,
): void {
  const beside = `${path}.${process.pid}.tmp`;
  const pieces = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
  try {
    const file = openSync(beside, 'w');
    try {
      for (const piece of pieces) writeFileSync(file, piece);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(beside, { force: true });
    throw diskError(error, path, 'write', elsewhere);
  }
}

const SPACE = 'Free some space and run the same command again; what is finished is kept.';
const AGAIN = 'Run the same command again when that is mended; what is finished is kept.';
/** Without a hint: another place helps. */
const REASONS: Readonly<Record<string, readonly [reason: string, hint?: string]>> = {
  ENOSPC: ['the disk is full', SPACE],
  EDQUOT: ['the disk quota is used up', SPACE],
  EFBIG: ['the file may not grow any further'],
  EACCES: ['permission denied'],
  EPERM: ['permission denied'],
  EROFS: ['the file system is read-only'],
  ENOTDIR: ['a part of the path is a file'],
  EEXIST: ['a file of that name is in the way'],
  EISDIR: ['a folder of that name is in the way'],
  ENAMETOOLONG: ['the name is too long'],
  ENOENT: [
    'it is no longer there',
    'Was the folder removed or moved? Run the same command again; what is still there is kept.',
  ],
  EIO: ['the disk reports an error', AGAIN],
  ESTALE: ['the folder of another machine is no longer the one that was opened', AGAIN],
  ETIMEDOUT: ['the disk does not answer', AGAIN],
};

/** An operating system's error as a UserError; other errors are given back as they are. */
export function diskError(error: unknown, path: string, action: string, elsewhere: string): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof UserError || code === undefined) return error as Error;
  const [reason, hint = elsewhere] = REASONS[code] ?? [code, AGAIN];
  return new UserError(`cannot ${action}: ${reason}`, { place: path, cause: error, hint });
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
};

/** Why a file cannot be read, in words and without its path, which the error has as its place. */
export function readFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code === undefined ? undefined : (UNREADABLE[code] ?? REASONS[code]?.[0] ?? code)) ?? message;
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
