/**
 * Files of records, JSON lines or one JSON array: looked through once, then read a record at a time.
 *
 * Data sets have files of hundreds of megabytes, so that only the places of the records are kept. A broken record is an
 * error with file and line.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import type * as z from 'zod';
import { readFault } from '../../base/disk.js';
import { UserError } from '../../base/errors.js';
import { scannerFor, type RecordSpan, type SpanScanner } from './record-spans.js';

export interface FileRecord {
  readonly value: unknown;
  /** `path:line` */
  readonly place: string;
}

const CHUNK_BYTES = 2 ** 20;
/** Longer records are refused: no text of that length is an evaluation sample. */
const MAX_RECORD_BYTES = 2 ** 28;

export class RecordFile {
  private constructor(
    readonly path: string,
    /** sha256 of the bytes, hex. */
    readonly digest: string,
    private readonly spans: readonly RecordSpan[],
  ) {}

  /**
   * Looks through the file. Throws UserError where it cannot be read, holds no record, or is an array of
   * other things than objects; `hint` says where such a file comes from.
   */
  static open(path: string, hint: string): RecordFile {
    const place = resolve(path);
    return scan(place, hint, (...found) => new RecordFile(place, ...found));
  }

  get count(): number {
    return this.spans.length;
  }

  /** The record of a 0-based index. Throws UserError where there is none, or where it is not JSON. */
  record(index: number): FileRecord {
    const span = this.spans[index];
    if (span === undefined) throw noSuchSample(this.path, index, this.count);
    const place = `${this.path}:${span.line}`;
    try {
      return { value: JSON.parse(this.text(span, place)) as unknown, place };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new UserError(`expected a JSON object, found text that is not JSON: ${error.message}`, {
        place,
        hint: 'A file of records has one JSON object a line, or is one JSON array of objects. It may have been edited or cut.',
        cause: error,
      });
    }
  }

  *records(): Generator<FileRecord> {
    for (let index = 0; index < this.count; index++) yield this.record(index);
  }

  private text({ start, end }: RecordSpan, place: string): string {
    const length = end - start;
    if (length > MAX_RECORD_BYTES) {
      throw new UserError(`expected a record of at most ${MAX_RECORD_BYTES} bytes, found ${length}`, {
        place,
      });
    }
    const bytes = Buffer.alloc(length);
    withFile(this.path, (file) => {
      let filled = 0;
      for (let read = 1; read > 0 && filled < length; filled += read) {
        read = readSync(file, bytes, filled, length - filled, start + filled);
      }
      if (filled < length) throw new UserError('the file has become shorter while it was read', { place });
    });
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (error) {
      throw new UserError('expected UTF-8 text, found bytes that are not UTF-8', {
        place,
        hint: 'Save the file as UTF-8.',
        cause: error,
      });
    }
  }
}

const OTHER_FILE = 'The file of the data set may have been edited or cut, or be that of another data set.';

/** A record's fields as `schema` has them. Throws UserError with file and line; `hint` says what helps. */
export function checkRecord<T>(schema: z.ZodType<T>, { value, place }: FileRecord, hint = OTHER_FILE): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `${path.length === 0 ? '' : `${path.map(String).join('.')}: `}${inWords(message)}`,
  );
  throw new UserError(problems.join('; '), { place, hint });
}

/** The library's own messages as those of this program read. */
function inWords(message: string): string {
  return message
    .replace(/^Invalid input: expected (.+), received (.+)$/, 'expected $1, found $2')
    .replace(/ undefined$/, ' nothing')
    .replace(/^Unrecognized key/, 'unknown key');
}

/** For a 0-based index at or beyond `count`. */
export function noSuchSample(place: string, index: number, count: number): UserError {
  const least = index === 0 ? '1 sample' : `${index + 1} samples`;
  return new UserError(`expected at least ${least}, found ${count}`, {
    place,
    hint: count === 0 ? 'No row is of that kind.' : `Use at most samples: ${count}.`,
    exitCode: 2,
  });
}

function scan(
  path: string,
  hint: string,
  make: (digest: string, spans: readonly RecordSpan[]) => RecordFile,
): RecordFile {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let scanner: SpanScanner | undefined;
  try {
    withFile(path, (file) => {
      for (let read = 1; read > 0;) {
        read = readSync(file, chunk, 0, CHUNK_BYTES, null);
        const bytes = chunk.subarray(0, read);
        hash.update(bytes);
        scanner ??= scannerFor(path, bytes);
        scanner.push(bytes);
      }
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read the file: ${readFault(error)}`, { place: path, hint, cause: error });
  }
  const spans = scanner!.finish();
  if (spans.length === 0) {
    throw new UserError('expected at least one record, found none', { place: path, hint });
  }
  return make(hash.digest('hex'), spans);
}

function withFile(path: string, use: (file: number) => void): void {
  const file = openSync(path, 'r');
  try {
    use(file);
  } finally {
    closeSync(file);
  }
}
