/**
 * sha256 of weight files.
 *
 * Decides how several files give one digest, and when a digest that was taken earlier still counts: size and
 * modification time unchanged.
 */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readRecord } from './pull-record.js';

/** Hexadecimal sha256 of a file, streamed. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

/**
 * Digest of a model's weights: the file's own sha256, or for several files that of the lines `name sha256`.
 *
 * @param paths in a fixed order
 */
export async function weightsDigest(paths: readonly string[]): Promise<string> {
  const digests: string[] = [];
  for (const path of paths) digests.push(recordedDigest(path) ?? (await sha256OfFile(path)));
  if (digests.length === 1) return digests[0]!;
  const lines = paths.map((path, i) => `${basename(path)} ${digests[i]!}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** The digest that a pull recorded, if the file has not been touched since. */
function recordedDigest(path: string): string | undefined {
  const recorded = readRecord(dirname(path))?.files[basename(path)];
  if (recorded === undefined) return undefined;
  const { size, mtimeMs } = statSync(path);
  return recorded.bytes === size && recorded.modifiedMs === mtimeMs ? recorded.sha256 : undefined;
}
