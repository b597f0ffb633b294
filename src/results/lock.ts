/** One run per result folder: two would write one journal. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { isLockName, type ProcessLock, takeLock } from '../base/process-lock.js';
import { fileError } from './files.js';

const FILE = 'run.lock';

export type FolderLock = ProcessLock;

/** Takes the lock of a folder. Throws UserError where another run has it. */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, FILE);
  return takeLock(path, {
    taken: (holder) =>
      new UserError(`another run is writing to this result folder (${holder})`, {
        place: folder,
        hint: `Wait for it, or choose another output folder. If there is no such run, remove ${path}.`,
      }),
    fault: fileError,
    action: 'write to the result folder',
  });
}

/** Whether a folder holds a lock, stale or not, or what is left of one. */
export function hasLock(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => isLockName(name, FILE));
  } catch (error) {
    throw fileError(error, folder, 'read the result folder');
  }
}
