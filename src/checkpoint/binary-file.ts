/**
 * A read-only file whose every read is checked against its size first.
 *
 * Positional reads, no cursor shared between readers, and a file that ends too early is told with its place.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFault } from '../base/disk.js';
import { UserError } from '../base/errors.js';

/** A single `readSync` may not ask for 2 GiB or more. */
const LARGEST_READ = 2 ** 30;

export class BinaryFile {
  private constructor(
    readonly path: string,
    private readonly fd: number,
    /** Bytes. */
    readonly size: number,
  ) {}

  /** Opens a regular file. Throws UserError where there is none, or it cannot be read. */
  static open(path: string): BinaryFile {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (cause) {
      throw new UserError(`cannot be opened: ${readFault(cause)}`, { place: path, cause });
    }
    const stat = fstatSync(fd);
    if (!stat.isFile()) {
      closeSync(fd);
      throw new UserError('expected a file', { place: path });
    }
    return new BinaryFile(path, fd, stat.size);
  }

  /** Bytes `[start, start + length)` in a fresh, 8-byte-aligned buffer. Throws UserError past the end. */
  read(start: number, length: number): Uint8Array<ArrayBuffer> {
    if (start < 0 || length < 0 || !Number.isSafeInteger(start + length) || start + length > this.size) {
      throw this.fault(
        `is cut short or damaged: bytes ${start} to ${start + length} are needed, the file has ${this.size}`,
      );
    }
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.fd, bytes, done, Math.min(length - done, LARGEST_READ), start + done);
      if (count === 0) throw this.fault('became shorter while it was read');
      done += count;
    }
    return bytes;
  }

  fault(message: string, hint?: string): UserError {
    return new UserError(message, { place: this.path, ...(hint === undefined ? {} : { hint }) });
  }

  close(): void {
    closeSync(this.fd);
  }
}
