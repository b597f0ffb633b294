/**
 * The one digest that stands for a model's weights in manifests and cell keys.
 *
 * A digest that a pull recorded counts as long as size and modification time are unchanged. So opening a pulled model
 * does not read all of it.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { sha256OfFile } from '../base/digest.js';
import { readRecord } from '../pull/record.js';

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

function recordedDigest(path: string): string | undefined {
  const recorded = readRecord(dirname(path))?.files[basename(path)];
  if (recorded === undefined) return undefined;
  const { size, mtimeMs } = statSync(path);
  return recorded.bytes === size && recorded.modifiedMs === mtimeMs ? recorded.sha256 : undefined;
}
