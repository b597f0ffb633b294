/**
 * A read-only file whose every read is checked against its size first.
 *
 * Positional reads, no cursor shared between readers; a file that ends too early, or changes while it is open, is told with its
 * place and the tensor that was read.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFault } from '../base/disk.js';
import { UserError } from '../base/errors.js';

/** A single `readSync` may not ask for 2 GiB or more. */
const LARGEST_READ = 2 ** 30;

const CHANGED = 'Leave the file as it is until the program has ended, then run it again.';

const inTensor = (tensor: string | undefined): string =>
  tensor === undefined ? '' : ` (tensor "${tensor}")`;

export class BinaryFile {
  private constructor(
    readonly path: string,
    private readonly fd: number,
    /** Bytes. */
    readonly size: number,
    private readonly modifiedMs: number,
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
    return new BinaryFile(path, fd, stat.size, stat.mtimeMs);
  }

  /** Bytes `[start, start + length)` in a fresh, 8-byte-aligned buffer. Throws UserError past the end. */
  read(start: number, length: number): Uint8Array<ArrayBuffer> {
    this.checkRange(start, length);
    const bytes = this.allocate(length);
    this.readInto(bytes, start);
    return bytes;
  }

  /**
   * Fills `target` with the bytes from `start`.
   *
   * @param tensor what is read, for the errors
   * @throws UserError past the end, or where the system cannot read
   */
  readInto(target: Uint8Array, start: number, tensor?: string): void {
    this.checkRange(start, target.length, tensor);
    let done = 0;
    while (done < target.length) {
      let count: number;
      try {
        count = readSync(this.fd, target, done, Math.min(target.length - done, LARGEST_READ), start + done);
      } catch (cause) {
        throw new UserError(`cannot be read${inTensor(tensor)}: ${readFault(cause)}`, {
          place: this.path,
          cause,
        });
      }
      if (count === 0) throw this.fault(`became shorter while it was read${inTensor(tensor)}`, CHANGED);
      done += count;
    }
  }

  /** Memory for `length` bytes. Throws UserError where there is not as much. */
  allocate(length: number, tensor?: string): Uint8Array<ArrayBuffer> {
    try {
      return new Uint8Array(length);
    } catch (cause) {
      throw new UserError(`cannot be read${inTensor(tensor)}: ${length} bytes do not fit into memory`, {
        place: this.path,
        cause,
      });
    }
  }

  /** Throws UserError where somebody wrote to the file since it was opened. */
  checkUnchanged(tensor?: string): void {
    const { size, mtimeMs } = fstatSync(this.fd);
    if (size !== this.size || mtimeMs !== this.modifiedMs)
      throw this.fault(`was changed while it was read${inTensor(tensor)}`, CHANGED);
  }

  private checkRange(start: number, length: number, tensor?: string): void {
    if (start >= 0 && length >= 0 && Number.isSafeInteger(start + length) && start + length <= this.size)
      return;
    throw this.fault(
      `is cut short or damaged${inTensor(tensor)}: bytes ${start} to ${start + length} are needed, the file has ${this.size}`,
    );
  }

  fault(message: string, hint?: string): UserError {
    return new UserError(message, { place: this.path, ...(hint === undefined ? {} : { hint }) });
  }

  close(): void {
    closeSync(this.fd);
  }
}
