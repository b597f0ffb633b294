/**
 * The files that the tasks of a run have read, each once, and what was made of them.
 *
 * Many cells of a sweep read the same essay or the same data set. One of these is made per run and passed to every task, so
 * that nothing outlives the run and no module holds state.
 */
import { resolve } from 'node:path';
import { fileDigest, readDataFile, type DataFile } from './data-file.js';
import { RecordFile } from './record-file.js';

export class DataFiles {
  /** @param folder where relative paths start */
  constructor(private readonly folder = process.cwd()) {}

  private readonly kept = new Map<string, unknown>();
  private last: { readonly key: string; readonly value: unknown } | undefined;

  /** A UTF-8 text file. Throws UserError where it cannot be read or is not UTF-8 text. */
  text(path: string): DataFile {
    const place = resolve(this.folder, path);
    return this.once(`text ${place}`, () => readDataFile(place));
  }

  /** A file of JSON lines or one JSON array. Throws UserError as `RecordFile.open` does. */
  records(path: string, hint: string): RecordFile {
    const place = resolve(this.folder, path);
    return this.once(`records ${place}`, () => RecordFile.open(place, hint));
  }

  /** sha256 of a file's bytes, hex. Throws UserError where it cannot be read. */
  digest(path: string): string {
    const place = resolve(this.folder, path);
    return this.once(`digest ${place}`, () => fileDigest(place));
  }

  /** What `make` returns, which is called once for a key; keys of the caller's own begin with what they are of. */
  once<T>(key: string, make: () => T): T {
    if (!this.kept.has(key)) this.kept.set(key, make());
    return this.kept.get(key) as T;
  }

  /** The same of what is too large to be held for all tasks: only the value of the last key is. */
  latest<T>(key: string, make: () => T): T {
    if (this.last?.key !== key) this.last = { key, value: make() };
    return this.last.value as T;
  }
}
