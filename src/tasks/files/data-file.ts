/**
 * Text files behind tasks: those in `datasets/`, and those that a user names.
 *
 * Read whole, each time that it is asked for; `DataFiles` reads them once per run.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { readFault } from '../../base/disk.js';
import { UserError } from '../../base/errors.js';
import { packageFile } from '../../base/package.js';

export interface DataFile {
  readonly text: string;
  /** sha256 of the bytes, hex. */
  readonly digest: string;
}

/** Path of a file that ships with the package. */
export function shippedFile(name: string): string {
  return packageFile('datasets', name);
}

/** A UTF-8 text file. Throws UserError where it cannot be read or is not UTF-8 text. */
export function readDataFile(path: string): DataFile {
  const place = resolve(path);
  let bytes: Buffer;
  try {
    bytes = readFileSync(place);
  } catch (error) {
    throw new UserError(`cannot read the file: ${readFault(error)}`, {
      place,
      hint: 'Expected the path of a text file; in a spec, relative paths start at its folder.',
      cause: error,
    });
  }
  return { text: decode(bytes, place), digest: createHash('sha256').update(bytes).digest('hex') };
}

function decode(bytes: Buffer, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError('expected a UTF-8 text file, found bytes that are not UTF-8', {
      place,
      cause: error,
    });
  }
}

/** sha256 of a file's bytes, hex. Throws UserError where it cannot be read. */
export function fileDigest(path: string): string {
  const place = resolve(path);
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(2 ** 20);
  try {
    const file = openSync(place, 'r');
    try {
      for (let read = 1; read > 0; hash.update(chunk.subarray(0, read))) {
        read = readSync(file, chunk, 0, chunk.length, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new UserError(`cannot read the file: ${readFault(error)}`, {
      place,
      cause: error,
    });
  }
  return hash.digest('hex');
}
