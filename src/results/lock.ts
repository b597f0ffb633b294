/**
 * One run per result folder.
 *
 * A lock whose process is gone is taken over, and so is one that was never written to its end.
 */
import {
  closeSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { isGone } from '../base/processes.js';
import { fileError } from './files.js';

const FILE = 'run.lock';
/** What a takeover is called while it is under way, with the process that is at it. */
const ASIDE = /^run\.lock\.(\d+)$/;
/** Between making the file and filling it lies no more than an instant; a process that takes longer was killed there. */
const UNFINISHED_MS = 500;
/** Folders that this process holds: a process id alone cannot tell them from those of an earlier process. */
const held = new Set<string>();

export interface FolderLock {
  /** One that cannot be removed is stale when this process ends. */
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, where the system tells: ids are used again. */
  readonly started: string | undefined;
}

/** Takes the lock of a folder. Throws UserError where another run has it. */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, FILE);
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) });
  for (let attempt = 0; !createLock(path, mine, folder); attempt++) {
    const found = readFinished(path);
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
  removeAbandoned(folder);
  return {
    release: () => {
      held.delete(path);
      try {
        if (readLock(path) === mine) rmSync(path);
      } catch {
        return;
      }
    },
  };
}

/** Whether a folder holds a lock, stale or not, or what is left of one. */
export function hasLock(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name === FILE || ASIDE.test(name));
  } catch (error) {
    throw fileError(error, folder, 'read the result folder');
  }
}

/** False where there is one already. A file that cannot be filled goes again, or it would lock everybody out. */
function createLock(path: string, text: string, folder: string): boolean {
  let file: number | undefined;
  try {
    file = openSync(path, 'wx');
    writeFileSync(file, text);
    return true;
  } catch (error) {
    if (file === undefined && (error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    if (file !== undefined) rmSync(path, { force: true });
    throw fileError(error, folder, 'write to the result folder');
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(error, path, 'read the lock');
  }
}

/** The lock, after whoever is making it had the time to fill it. */
function readFinished(path: string): string | undefined {
  const found = readLock(path);
  if (found === undefined || parse(found) !== undefined) return found;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, UNFINISHED_MS);
  return readLock(path);
}

/** Undefined where the text is not a whole lock. */
function parse(text: string): Holder | undefined {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0 || typeof host !== 'string')
      return undefined;
    return { pid, host, started: typeof started === 'string' ? started : undefined };
  } catch {
    return undefined;
  }
}

/** True where the holder is a process of this machine that no longer runs, or was killed before it had the lock. */
function isStale(text: string, path: string): boolean {
  const holder = parse(text);
  if (holder === undefined) return true;
  if (holder.host !== hostname()) return false;
  if (holder.pid === process.pid) return !held.has(path);
  if (isGone(holder.pid)) return true;
  const started = startOf(holder.pid);
  return started !== undefined && holder.started !== undefined && started !== holder.started;
}

/** When a process started, in clock ticks since the system did; undefined where the system does not tell. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]; // behind the name, which may hold anything
  } catch {
    return undefined;
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
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw fileError(error, path, 'take over the lock');
  }
}

/** Removes the locks that processes were taking over as they were killed; one that stays hinders nobody. */
function removeAbandoned(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const pid = ASIDE.exec(name)?.[1];
      if (pid !== undefined && isGone(Number(pid))) rmSync(join(folder, name), { force: true });
    }
  } catch {
    return;
  }
}

function describe(text: string): string {
  const holder = parse(text);
  return holder === undefined ? 'an unreadable lock file' : `process ${holder.pid} on ${holder.host}`;
}
