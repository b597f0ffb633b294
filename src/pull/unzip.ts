/**
 * Chosen files out of a zip archive, by `fflate`.
 *
 * An archive is hostile until shown otherwise: names that lead out of a folder are refused, and so is one that unpacks
 * to more than the limits. Streams, so that neither archive nor files are held.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Unzip, UnzipInflate, type UnzipFile } from 'fflate';
import { OTHER_CACHE } from '../base/cache-folder.js';
import { diskError } from '../base/disk.js';
import { UserError } from '../base/errors.js';
import { leadsOut } from '../base/inside-path.js';

export interface UnzipLimits {
  readonly entries: number;
  /** Bytes of one unpacked entry, and of all. */
  readonly entryBytes: number;
  readonly totalBytes: number;
}

const LIMITS: UnzipLimits = { entries: 1000, entryBytes: 2 ** 31, totalBytes: 2 ** 33 };

/** Texts unpack to three to ten times their size; what unpacks to more than so many times the archive's is a bomb. */
const MOST_EXPANSION = 100;
const ALWAYS_ALLOWED_BYTES = 2 ** 20;

/** Small, so that little is unpacked between two looks at the limits. */
const CHUNK_BYTES = 2 ** 16;

/**
 * Writes the `wanted` files that the archive has into `folder`, each under its own path; returns these.
 *
 * An entry is a wanted file where its path ends in that path; `.json` may stand for `.jsonl`.
 * @throws UserError where the archive is damaged, hostile, or has a file twice
 */
export function unzipFiles(
  archive: string,
  folder: string,
  wanted: readonly string[],
  limits: UnzipLimits = LIMITS,
): string[] {
  const file = openSync(archive, 'r');
  const expanded = MOST_EXPANSION * fstatSync(file).size + ALWAYS_ALLOWED_BYTES;
  const unpacking = new Unpacking(archive, folder, wanted, {
    ...limits,
    totalBytes: Math.min(limits.totalBytes, expanded),
  });
  try {
    const unzip = new Unzip((entry) => {
      unpacking.take(entry);
    });
    unzip.register(UnzipInflate);
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let read = 1; read > 0;) {
      read = readSync(file, chunk, 0, CHUNK_BYTES, null);
      // A copy: what is pushed may be kept until the next piece comes.
      unzip.push(chunk.slice(0, read), read === 0);
    }
    return unpacking.finish();
  } catch (error) {
    if (error instanceof UserError) throw error;
    if ((error as NodeJS.ErrnoException).syscall !== undefined)
      throw diskError(error, folder, 'unpack the archive', OTHER_CACHE);
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`expected a zip archive, found one that cannot be read: ${reason}`, {
      place: archive,
      cause: error,
    });
  } finally {
    unpacking.close();
    closeSync(file);
  }
}

class Unpacking {
  private readonly written = new Set<string>();
  private readonly open = new Set<number>();
  private entries = 0;
  private total = 0;

  constructor(
    private readonly archive: string,
    private readonly folder: string,
    private readonly wanted: readonly string[],
    private readonly limits: UnzipLimits,
  ) {}

  take(entry: UnzipFile): void {
    const { name } = entry;
    if (++this.entries > this.limits.entries) {
      throw this.fault(`expected at most ${this.limits.entries} entries, found more`);
    }
    if (leadsOut(name)) throw this.fault(`the entry ${JSON.stringify(name)} leads out of the archive`);
    const output = this.outputFor(name);
    let size = 0;
    entry.ondata = (error, data, final) => {
      if (error !== null) throw this.fault(`${name}: ${error.message}`);
      size += data.length;
      this.total += data.length;
      if (size > this.limits.entryBytes || this.total > this.limits.totalBytes) {
        throw this.fault(`${name}: unpacks to more than the archive of a data set should`);
      }
      if (output === undefined) return;
      writeAll(output, data);
      if (final) this.closeOutput(output);
    };
    entry.start();
  }

  finish(): string[] {
    if (this.open.size > 0) throw this.fault('the archive ends in the middle of an entry');
    if (this.entries === 0) throw this.fault('expected a zip archive, found no entry');
    return [...this.written];
  }

  close(): void {
    for (const output of this.open) closeSync(output);
    this.open.clear();
  }

  /** The file that an entry is written to; undefined where it is not wanted. */
  private outputFor(name: string): number | undefined {
    const path = this.wanted.find((file) => isFile(name, file));
    if (path === undefined) return undefined;
    if (this.written.has(path)) throw this.fault(`has ${path} twice`);
    this.written.add(path);
    const target = join(this.folder, path);
    mkdirSync(dirname(target), { recursive: true });
    const output = openSync(target, 'w');
    this.open.add(output);
    return output;
  }

  private closeOutput(output: number): void {
    closeSync(output);
    this.open.delete(output);
  }

  private fault(message: string): UserError {
    return new UserError(message, { place: this.archive });
  }
}

/** macOS adds `__MACOSX/._name` beside every file; those are no data. */
function isFile(name: string, wanted: string): boolean {
  const path = `/${name}`;
  return (
    path.endsWith(`/${wanted}`) || (wanted.endsWith('.jsonl') && path.endsWith(`/${wanted.slice(0, -1)}`))
  );
}

function writeAll(output: number, data: Uint8Array): void {
  for (let at = 0; at < data.length;) at += writeSync(output, data, at, data.length - at);
}
