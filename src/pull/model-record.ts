/**
 * pull.json: what lies beside a pulled model's files and says where they came from.
 *
 * It tells when files still are what was pulled.
 */
import { existsSync, statSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { sha256OfFile } from '../base/digest.js';
import { insidePath } from '../base/inside-path.js';
import { readJsonFile, validate } from '../base/json.js';

export const RECORD_NAME = 'pull.json';

const recordSchema = z.object({
  format: z.literal(1),
  model: z.string(),
  source: z.string(),
  /** ISO 8601 */
  pulledAt: z.string(),
  files: z.record(insidePath, z.object({ bytes: z.number(), modifiedMs: z.number(), sha256: z.string() })),
});

export type PullRecord = z.infer<typeof recordSchema>;

/** The record of a model folder; undefined where there is none. Throws UserError where it is damaged. */
export function readRecord(folder: string): PullRecord | undefined {
  const path = join(folder, RECORD_NAME);
  return existsSync(path) ? validate(recordSchema, readJsonFile(path), path) : undefined;
}

/** Writes the record of all files in a folder. `source` is how a person would name where they came from. */
export async function writeRecord(folder: string, model: string, source: string): Promise<PullRecord> {
  const files: PullRecord['files'] = {};
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    const { size, mtimeMs } = await stat(path);
    files[name] = { bytes: size, modifiedMs: mtimeMs, sha256: await sha256OfFile(path) };
  }
  const record: PullRecord = { format: 1, model, source, pulledAt: new Date().toISOString(), files };
  await writeFile(join(folder, RECORD_NAME), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

/** The first file that is missing or has another size, in words. */
export function sizeFault(folder: string, record: PullRecord): string | undefined {
  for (const [name, { bytes }] of Object.entries(record.files)) {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    if (found === undefined) return `${name} is missing`;
    if (found.size !== bytes) return `${name} has ${found.size} bytes instead of ${bytes}`;
  }
  return undefined;
}

/** The first file whose content is not what was pulled, in words. Reads every byte. */
export async function digestFault(folder: string, record: PullRecord): Promise<string | undefined> {
  for (const [name, { sha256 }] of Object.entries(record.files)) {
    const found = await sha256OfFile(join(folder, name));
    if (found !== sha256) return `${name} has sha256 ${found} instead of ${sha256}`;
  }
  return undefined;
}

/** The first file that two pulls from one source did not bring alike, in words; other sources hold other files. */
export function recordDifference(earlier: PullRecord, later: PullRecord): string | undefined {
  if (earlier.source !== later.source) return undefined;
  for (const [name, { sha256 }] of Object.entries(earlier.files)) {
    const found = later.files[name]?.sha256;
    if (found === undefined) return `${name} is missing`;
    if (found !== sha256) return `${name} has sha256 ${found} instead of ${sha256}`;
  }
  return undefined;
}
