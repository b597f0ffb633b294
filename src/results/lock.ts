/**
 * One run per result folder.
 *
 * Decides who holds a folder: a file with the process that does. A lock whose process is gone is taken over.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { fileError } from './files.js';

const FILE = 'run.lock';
/** Folders that this process holds: a process id alone cannot tell them from those of an earlier process. */
const held = new Set<string>();

export interface FolderLock {
  release(): void;
}

/** Takes the lock of a folder. Throws UserError where another run has it. */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, FILE);
  const mine = JSON.stringify({ pid: process.pid, host: hostname() });
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError(error, folder, 'write to the result folder');
    }
    const found = readLock(path);
    if (found === undefined) continue;
    if (attempt > 2 || !isStale(found, path)) {
      throw new UserError(`another run is writing to this result folder (${describe(found)})`, {
        place: folder,
        hint: `Wait for it, or choose another output folder. If there is no such run, remove ${path}.`,
      });
    }
    removeStale(path, found);
  }
  held.add(path);
  return {
    release: () => {
      held.delete(path);
      rmSync(path, { force: true });
    },
  };
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(error, path, 'read the lock');
  }
}

function parse(text: string): { pid: number; host: string } | undefined {
  try {
    const { pid, host } = JSON.parse(text) as { pid?: unknown; host?: unknown };
    return typeof pid === 'number' && Number.isInteger(pid) && pid > 0 && typeof host === 'string'
      ? { pid, host }
      : undefined;
  } catch {
    return undefined;
  }
}

/** True where the holder is a process of this machine that no longer runs. */
function isStale(text: string, path: string): boolean {
  const holder = parse(text);
  if (holder === undefined || holder.host !== hostname()) return false;
  if (holder.pid === process.pid) return !held.has(path);
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Removes the lock that was read, and puts back one that somebody else has made since. */
function removeStale(path: string, text: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') !== text) linkSync(aside, path);
    rmSync(aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(error, path, 'take over the lock');
  }
}

function describe(text: string): string {
  const holder = parse(text);
  return holder === undefined ? 'an unreadable lock file' : `process ${holder.pid} on ${holder.host}`;
}
