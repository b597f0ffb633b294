/**
 * pull.json: what lies beside a pulled data set's files, pins their digests, and says where they came from.
 *
 * It tells when files still are what was pulled.
 */
import { existsSync, statSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import * as z from 'zod';
import { sha256OfFile } from '../base/digest.js';
import { insidePath } from '../base/inside-path.js';
import { readJsonFile, validate } from '../base/json.js';

export const LOCK_NAME = 'pull.json';

const lockSchema = z.object({
  format: z.literal(1),
  dataset: z.string(),
  source: z.string(),
  /** Commit of the hub's repository; null where the source has none. */
  revision: z.string().nullable(),
  /** ISO 8601 */
  pulledAt: z.string(),
  /** By path in the folder, `/` between its parts. */
  files: z.record(insidePath, z.object({ bytes: z.number(), sha256: z.string() })),
});

export type Lock = z.infer<typeof lockSchema>;

/** The lock of a folder; undefined where there is none. Throws UserError where it is damaged. */
export function readLock(folder: string): Lock | undefined {
  const path = join(folder, LOCK_NAME);
  return existsSync(path) ? validate(lockSchema, readJsonFile(path), path) : undefined;
}

/** Digests of all files of a folder and its subfolders, as they are. */
export async function lockOf(
  folder: string,
  about: Pick<Lock, 'dataset' | 'source' | 'revision'>,
): Promise<Lock> {
  const files: Lock['files'] = {};
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name);
    const facts = await stat(path);
    if (!facts.isFile() || name === LOCK_NAME) continue;
    files[name.split(sep).join('/')] = { bytes: facts.size, sha256: await sha256OfFile(path) };
  }
  return { format: 1, ...about, pulledAt: new Date().toISOString(), files };
}

export async function writeLock(folder: string, lock: Lock): Promise<void> {
  await writeFile(join(folder, LOCK_NAME), `${JSON.stringify(lock, null, 2)}\n`);
}

/** The first file that is missing or has another size, in words. */
export function sizeFault(folder: string, lock: Lock): string | undefined {
  for (const [name, { bytes }] of Object.entries(lock.files)) {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    if (found === undefined) return `${name} is missing`;
    if (found.size !== bytes) return `${name} has ${found.size} bytes instead of ${bytes}`;
  }
  return undefined;
}

/** The first file whose content is not what was pulled, in words. Reads every byte. */
export async function digestFault(folder: string, lock: Lock): Promise<string | undefined> {
  return digestDifference(lock, await lockOf(folder, lock));
}

/** The first file that is not in both with one digest, in words. */
export function digestDifference(pinned: Lock, found: Lock): string | undefined {
  for (const [name, { sha256 }] of Object.entries(pinned.files)) {
    const other = found.files[name]?.sha256;
    if (other === undefined) return `${name} is missing`;
    if (other !== sha256) return `${name} has sha256 ${other} instead of ${sha256}`;
  }
  return undefined;
}
