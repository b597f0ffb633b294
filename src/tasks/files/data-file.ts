/**
 * Text files behind tasks: those in `datasets/`, and those that a user names.
 *
 * Decides where the shipped ones are, and reads each file once. Knows nothing of their contents.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../../base/errors.js';
import { packageFile } from '../../base/package.js';

export interface DataFile {
  readonly text: string;
  /** sha256 of the bytes, hex. */
  readonly digest: string;
}

const cache = new Map<string, DataFile>();

/** Path of a file that ships with the package. */
export function shippedFile(name: string): string {
  return packageFile('datasets', name);
}

/** A UTF-8 text file. Throws UserError where it cannot be read or is not UTF-8 text. */
export function readDataFile(path: string): DataFile {
  const place = resolve(path);
  const known = cache.get(place);
  if (known !== undefined) return known;
  let bytes: Buffer;
  try {
    bytes = readFileSync(place);
  } catch (error) {
    throw new UserError(`cannot read the file: ${error instanceof Error ? error.message : String(error)}`, {
      place,
      hint: 'Expected the path of a text file; relative paths start at the working directory.',
      cause: error,
    });
  }
  const file = { text: decode(bytes, place), digest: createHash('sha256').update(bytes).digest('hex') };
  cache.set(place, file);
  return file;
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
