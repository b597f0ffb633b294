/** Contents of sound files, as bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURES } from '../../model/support.js';

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value, undefined, 1));
}

export function jsonLines(...rows: readonly unknown[]): Buffer {
  return Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** A file of `test/fixtures`. */
export function fixture(path: string): Buffer {
  return readFileSync(join(FIXTURES, path));
}
