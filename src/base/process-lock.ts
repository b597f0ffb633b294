/**
 * One process at a time in a place: a file that names the process that holds it.
 *
 * A lock whose process is gone is taken over, and so is one that was never written to its end: killed programs lock nobody out.
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
import { basename, dirname, join } from 'node:path';
import type { UserError } from './errors.js';
import { isGone } from './processes.js';

/** Between making the file and filling it lies no more than an instant; a process that takes longer was killed there. */
const UNFINISHED_MS = 500;
/** Locks that this process holds: a process id alone cannot tell them from those of an earlier process. */
const held = new Set<string>();

export interface ProcessLock {
  /** One that cannot be removed is stale when this process ends. */
  release(): void;
}

/** How the faults of a lock read. */
export interface LockWords {
  /** Somebody else has it. */
  readonly taken: (holder: string) => UserError;
  /** An operating system's error. */
  readonly fault: (error: unknown, path: string, action: string) => Error;
  /** What taking the lock is, in its faults: `write to the result folder`. */
  readonly action: string;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, where the system tells: ids are used again. */
  readonly started: string | undefined;
}

/** Takes the lock that is this file. Throws `words.taken` where another process has it. */
export function takeLock(path: string, words: LockWords): ProcessLock {
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) });
  for (let attempt = 0; !createLock(path, mine, words); attempt++) {
    const found = readFinished(path, words);
    if (found === undefined) continue;
    if (attempt > 2 || !isStale(found, path)) throw words.taken(describe(found));
    removeStale(path, found, words);
  }
  held.add(path);
  removeAbandoned(path);
  return {
    release: () => {
      held.delete(path);
      try {
        if (readLock(path, words) === mine) rmSync(path);
      } catch {
        return;
      }
    },
  };
}

/** Whether a name is that of the lock, or of what is left of a takeover of it. */
export function isLockName(name: string, lock: string): boolean {
  return name === lock || takeoverOf(name, lock) !== undefined;
}

/** The process that was taking the lock over; undefined where the name is another. */
function takeoverOf(name: string, lock: string): number | undefined {
  const rest = name.startsWith(`${lock}.`) ? name.slice(lock.length + 1) : '';
  return /^\d+$/.test(rest) ? Number(rest) : undefined;
}

/** False where there is one already. A file that cannot be filled goes again, or it would lock everybody out. */
function createLock(path: string, text: string, { fault, action }: LockWords): boolean {
  let file: number | undefined;
  try {
    file = openSync(path, 'wx');
    writeFileSync(file, text);
    return true;
  } catch (error) {
    if (file === undefined && (error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    if (file !== undefined) rmSync(path, { force: true });
    throw fault(error, dirname(path), action);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readLock(path: string, { fault }: Pick<LockWords, 'fault'>): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault(error, path, 'read the lock');
  }
}

/** The lock, after whoever is making it had the time to fill it. */
function readFinished(path: string, words: LockWords): string | undefined {
  const found = readLock(path, words);
  if (found === undefined || parse(found) !== undefined) return found;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, UNFINISHED_MS);
  return readLock(path, words);
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
function removeStale(path: string, text: string, { fault }: LockWords): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') !== text) linkSync(aside, path);
    rmSync(aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fault(error, path, 'take over the lock');
  }
}

/** Removes the locks that processes were taking over as they were killed; one that stays hinders nobody. */
function removeAbandoned(lock: string): void {
  const folder = dirname(lock);
  try {
    for (const name of readdirSync(folder)) {
      const pid = takeoverOf(name, basename(lock));
      if (pid !== undefined && isGone(pid)) rmSync(join(folder, name), { force: true });
    }
  } catch {
    return;
  }
}

function describe(text: string): string {
  const holder = parse(text);
  return holder === undefined ? 'an unreadable lock file' : `process ${holder.pid} on ${holder.host}`;
}
