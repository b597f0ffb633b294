/**
 * What the manifest keeps of a model: digests, and the files they were taken from.
 *
 * A model counts as unchanged while its files have the same sizes and modification times.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { modelPlace } from '../experiment/paths.js';
import { resolveModel } from '../pull/locate-model.js';
import { configIdentity } from '../checkpoint/config-identity.js';
import type { ModelFiles } from '../checkpoint/types.js';
import { canonicalJson, digestOf } from '../base/canonical-json.js';
import type { ModelRecord } from '../results/types.js';

/** The record of a model that is open; relative paths start at the folder, the spec's. */
export function modelRecord(files: ModelFiles, folder: string): ModelRecord {
  return {
    name: files.name,
    weightsDigest: files.weightsDigest,
    tokenizerDigest: files.tokenizer.digest,
    configDigest: digestOf({
      config: configIdentity(files.config),
      chatTemplate: files.chatTemplate?.source ?? null,
    }),
    files: modelFiles(modelPlace(files.name, folder)),
  };
}

/** Whether the files of a recorded model are still the same; undefined where the model is not there (any more). */
export function modelUnchanged(record: ModelRecord, folder: string): boolean | undefined {
  try {
    return canonicalJson(modelFiles(modelPlace(record.name, folder))) === canonicalJson(record.files);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The files that a model is read from, by path. Throws UserError where it is not there. */
function modelFiles(nameOrPath: string): ModelRecord['files'] {
  const { kind, weights, folder } = resolveModel(nameOrPath);
  const names = readdirSync(folder).filter((name) => /\.(safetensors|json|jinja)$/.test(name));
  const paths = kind === 'gguf' ? [weights] : names.sort().map((name) => join(folder, name));
  return paths.map((path) => {
    const { size, mtimeMs } = statSync(path);
    return { path, bytes: size, modifiedMs: mtimeMs };
  });
}
