/**
 * What the manifest keeps of a model: digests, and the files they were taken from.
 *
 * Decides when a model counts as unchanged: the same files, each of the same size and modification time.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { resolveModel } from '../pull/locate-model.js';
import { configIdentity } from '../checkpoint/config-identity.js';
import type { ModelFiles } from '../checkpoint/types.js';
import { canonicalJson, digestOf } from '../base/canonical-json.js';
import type { ModelRecord } from '../results/types.js';

/** The record of a model that is open. */
export function modelRecord(files: ModelFiles): ModelRecord {
  return {
    name: files.name,
    weightsDigest: files.weightsDigest,
    tokenizerDigest: files.tokenizer.digest,
    configDigest: digestOf({
      config: configIdentity(files.config),
      chatTemplate: files.chatTemplate?.source ?? null,
    }),
    files: modelFiles(files.name),
  };
}

/** Whether the files of a recorded model are still the same; undefined where the model is not there (any more). */
export function modelUnchanged(record: ModelRecord): boolean | undefined {
  try {
    return canonicalJson(modelFiles(record.name)) === canonicalJson(record.files);
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
