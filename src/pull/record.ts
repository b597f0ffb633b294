/**
 * pull.json: what lies beside pulled files, with their digests, and says where they came from.
 *
 * Models and data sets have one format. The two that earlier versions wrote, one for each, are still read.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { sha256OfFile } from '../base/digest.js';
import { insidePath } from '../base/inside-path.js';
import { readJsonFile, validate } from '../base/json.js';

export const RECORD_NAME = 'pull.json';

/**
 * What was fixed before the first pull: digests that this version knows, a commit, or nothing, so that whoever owns the
 * repository decided what came. Later pulls are held to what the first one brought in any case.
 */
export type Pinned = 'digests' | 'commit' | 'nothing';

export interface RecordedFile {
  readonly bytes: number;
  readonly sha256: string;
  /** When the pulled file was written; not known of data sets that an earlier version pulled. */
  readonly modifiedMs?: number | undefined;
}

export interface PullRecord {
  readonly kind: 'model' | 'data';
  /** Name of the catalogue, or id on the hub. */
  readonly name: string;
  /** Where it came from, as a person would name it. */
  readonly source: string;
  /** Of the hub's repository; null where the source has none, or an earlier version kept none. */
  readonly commit: string | null;
  /** Null where an earlier version did not say. */
  readonly pinned: Pinned | null;
  /** ISO 8601 */
  readonly pulledAt: string;
  /** By path in the folder, `/` between its parts. */
  readonly files: Readonly<Record<string, RecordedFile>>;
}

const common = { source: z.string(), pulledAt: z.string() };
const file = { bytes: z.number(), sha256: z.string() };

const recordSchema = z.object({
  format: z.literal(2),
  kind: z.enum(['model', 'data']),
  name: z.string(),
  ...common,
  commit: z.string().nullable(),
  pinned: z.enum(['digests', 'commit', 'nothing']).nullable(),
  files: z.record(insidePath, z.object({ ...file, modifiedMs: z.number().optional() })),
});

const modelSchema = z.object({
  format: z.literal(1),
  model: z.string(),
  ...common,
  files: z.record(insidePath, z.object({ ...file, modifiedMs: z.number() })),
});

const dataSchema = z.object({
  format: z.literal(1),
  dataset: z.string(),
  ...common,
  revision: z.string().nullable(),
  files: z.record(insidePath, z.object(file)),
});

/** The record of a folder; undefined where there is none. Throws UserError where it is damaged. */
export function readRecord(folder: string): PullRecord | undefined {
  const path = join(folder, RECORD_NAME);
  if (!existsSync(path)) return undefined;
  const json = readJsonFile(path);
  const { format } = validate(z.looseObject({ format: z.literal([1, 2]) }), json, path);
  if (format === 2) {
    const { kind, name, source, commit, pinned, pulledAt, files } = validate(recordSchema, json, path);
    return { kind, name, source, commit, pinned, pulledAt, files };
  }
  if (typeof json === 'object' && json !== null && 'model' in json) {
    const { model, source, pulledAt, files } = validate(modelSchema, json, path);
    return { kind: 'model', name: model, source, commit: null, pinned: null, pulledAt, files };
  }
  const { dataset, source, revision, pulledAt, files } = validate(dataSchema, json, path);
  return { kind: 'data', name: dataset, source, commit: revision, pinned: null, pulledAt, files };
}

/** Writes a folder's record of files that are in it, whose digests are known; returns it. */
export async function writeRecord(
  folder: string,
  about: Pick<PullRecord, 'kind' | 'name' | 'source' | 'commit' | 'pinned'>,
  digests: ReadonlyMap<string, string>,
): Promise<PullRecord> {
  const files: Record<string, RecordedFile> = {};
  for (const [path, sha256] of [...digests].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { size, mtimeMs } = await stat(join(folder, path));
    files[path] = { bytes: size, modifiedMs: mtimeMs, sha256 };
  }
  const { kind, name, source, commit, pinned } = about;
  const record: PullRecord = {
    ...{ kind, name, source, commit, pinned },
    pulledAt: new Date().toISOString(),
    files,
  };
  writeFileSync(join(folder, RECORD_NAME), `${JSON.stringify({ format: 2, ...record }, null, 2)}\n`);
  return record;
}

/** The first file that is missing or has another size, in words. */
export function sizeFault(folder: string, { files }: Pick<PullRecord, 'files'>): string | undefined {
  for (const [name, { bytes }] of Object.entries(files)) {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    if (found === undefined) return `${name} is missing`;
    if (found.size !== bytes) return `${name} has ${found.size} bytes instead of ${bytes}`;
  }
  return undefined;
}

/** The first file whose content is not what was pulled, in words. Reads every byte. */
export async function digestFault(
  folder: string,
  { files }: Pick<PullRecord, 'files'>,
): Promise<string | undefined> {
  for (const [name, { sha256 }] of Object.entries(files)) {
    const path = join(folder, name);
    if (!existsSync(path)) return `${name} is missing`;
    const found = await sha256OfFile(path);
    if (found !== sha256) return `${name} has sha256 ${found} instead of ${sha256}`;
  }
  return undefined;
}

/** The first file that two pulls from one source did not bring alike, in words; other sources hold other files. */
export function recordDifference(
  earlier: PullRecord,
  later: Pick<PullRecord, 'source' | 'commit' | 'files'>,
): string | undefined {
  if (earlier.source !== later.source || (earlier.commit ?? later.commit) !== later.commit) return undefined;
  for (const [name, { sha256 }] of Object.entries(earlier.files)) {
    const found = later.files[name]?.sha256;
    if (found === undefined) return `${name} is missing`;
    if (found !== sha256) return `${name} has sha256 ${found} instead of ${sha256}`;
  }
  return undefined;
}
