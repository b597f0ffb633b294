/**
 * sha256 of files, and what is said of a download whose digest is another one.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from './errors.js';

/** Hexadecimal sha256 of a file, streamed. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

/** Throws UserError where a file's digest is not the one that this version names. */
export async function expectSha256(path: string, pinned: string): Promise<void> {
  const found = await sha256OfFile(path);
  if (found === pinned) return;
  throw new UserError(`expected sha256 ${pinned}, got ${found}`, {
    place: basename(path),
    hint: 'The download is damaged or is not the file that this version was checked with.',
  });
}
