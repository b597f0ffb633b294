/**
 * manifest.json: whose results a folder holds.
 *
 * Differences between two specs that should be the same are told field by field.
 */
import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { UserError } from '../base/errors.js';
import { isDeep } from '../base/json.js';
import { violations } from '../base/violations.js';
import { canonicalJson } from '../base/canonical-json.js';
import { fileError, writeAtomically } from './files.js';
import { packageVersion } from '../base/package.js';
import { describeMachine, gitState } from './machine.js';
import { FORMAT_VERSION, type Manifest, MAX_SHARDS } from './types.js';

const cellInfo = z.strictObject({
  key: z.string().regex(/^[0-9a-f]{16}$/),
  model: z.string(),
  task: z.string(),
  context: z.int().min(0),
  seed: z.int().min(0),
  question: z.enum(['compressed', 'appended']),
  pipeline: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  samples: z.int().min(1).max(1_000_000),
  dataDigest: z.string().optional(),
});

const git = z.strictObject({ commit: z.string(), dirty: z.boolean() }).nullable();

const surroundings = {
  git,
  node: z.string(),
  platform: z.string(),
  cpu: z.strictObject({ model: z.string(), cores: z.int() }),
  memoryBytes: z.number(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
};

const shard = z
  .strictObject({ index: z.int().min(1), count: z.int().min(1).max(MAX_SHARDS) })
  .refine(({ index, count }) => index <= count, 'expected an index of at most the count');

const runOrigin = z.strictObject({
  spec: z.unknown(),
  specHash: z.string(),
  version: z.string(),
  git,
  startedAt: z.string(),
});

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT_VERSION),
  name: z.string(),
  spec: z.unknown(),
  specHash: z.string(),
  specFolder: z.string().optional(),
  version: z.string(),
  ...surroundings,
  engine: z.strictObject({
    name: z.string(),
    threads: z.int(),
    versions: z.record(z.string(), z.string()),
  }),
  protocol: z.int().min(1).optional(),
  models: z.array(
    z.strictObject({
      name: z.string(),
      weightsDigest: z.string(),
      tokenizerDigest: z.string(),
      configDigest: z.string(),
      files: z.array(z.strictObject({ path: z.string(), bytes: z.number(), modifiedMs: z.number() })),
    }),
  ),
  data: z.array(z.strictObject({ task: z.string(), digest: z.string() })),
  cells: z.array(cellInfo),
  plugins: z.array(z.strictObject({ use: z.string(), digest: z.string() })).optional(),
  shard: shard.optional(),
  original: runOrigin.optional(),
  extensions: z.array(runOrigin).optional(),
  leftOut: z.array(cellInfo).optional(),
  parts: z.array(z.strictObject({ folder: z.string(), ...surroundings })).optional(),
}) satisfies z.ZodType<Manifest>;

export type RunDescription = Pick<
  Manifest,
  | 'name'
  | 'spec'
  | 'specHash'
  | 'specFolder'
  | 'engine'
  | 'protocol'
  | 'models'
  | 'data'
  | 'cells'
  | 'plugins'
  | 'shard'
>;

/** The manifest of a run that starts now on this machine. */
export function createManifest(run: RunDescription, specFile: string): Manifest {
  return {
    format: FORMAT_VERSION,
    ...run,
    version: packageVersion(),
    git: gitState(specFile),
    ...describeMachine(),
    startedAt: new Date().toISOString(),
    finishedAt: null,
  };
}

/** Replaces the manifest in one step. */
export function writeManifest(path: string, manifest: Manifest): void {
  writeAtomically(path, `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** Reads a manifest; undefined where there is none. Throws UserError where it is damaged. */
export function readManifest(path: string): Manifest | undefined {
  if (!existsSync(path)) return undefined;
  const refuse = (found: string): never => {
    throw new UserError(`not a manifest of format ${FORMAT_VERSION}: ${found}`, {
      place: path,
      hint: 'The manifest was damaged or edited. Put a whole copy in its place, or run the spec again: "spark-eval run" with --fresh or --output FOLDER.',
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return error instanceof SyntaxError ? refuse('expected JSON') : fail(fileError(error, path, 'read'));
  }
  if (isDeep(value)) return refuse('it is nested too deeply');
  const manifest = manifestSchema.safeParse(value);
  return manifest.success ? manifest.data : refuse(violations(manifestSchema, value, manifest.error));
}

/** What each model was made of, by what a difference is told as. */
export function modelDigests(models: Manifest['models']): Record<string, string> {
  return Object.fromEntries(
    models.flatMap(({ name, weightsDigest, tokenizerDigest, configDigest }) => [
      [`weights of ${name}`, weightsDigest],
      [`tokenizer of ${name}`, tokenizerDigest],
      [`configuration of ${name}`, configDigest],
    ]),
  );
}

/** What differs between two resolved specs, a line each: `context: [1024] → [1024,2048]`. */
export function describeDifferences(before: unknown, after: unknown): string[] {
  const [old, now] = [asRecord(before), asRecord(after)];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter((key) => canonicalJson(old[key] ?? null) !== canonicalJson(now[key] ?? null))
    .map((key) => `${key}: ${brief(old[key])} → ${brief(now[key])}`);
}

function brief(value: unknown): string {
  const entries = Array.isArray(value) ? value.map(briefEntry).join(', ') : briefEntry(value);
  return entries.length <= 120 ? entries : `${entries.slice(0, 119)}…`;
}

/** A pipeline by its label, a task by its name and what is said of it, anything else as JSON. */
function briefEntry(value: unknown): string {
  const { label, task, params, samples } = asRecord(value);
  if (typeof label === 'string') return label;
  if (typeof task === 'string') return `${task}${canonicalJson(params)} × ${String(samples)}`;
  return typeof value === 'string' ? value : canonicalJson(value ?? null);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function fail(error: Error): never {
  throw error;
}
