/**
 * From a model's name, path or id on the hub to the files on disk; no file's content is read.
 *
 * A path that is there comes before an id of the same spelling: what lies beside a spec is what its author meant.
 */
import { existsSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readFault } from '../base/disk.js';
import { UserError } from '../base/errors.js';
import { didYouMean } from '../base/did-you-mean.js';
import { HUB_ID_FORMS } from './hub-id.js';
import { type CatalogueEntry, findModel, MODEL_NAMES, modelFolder, modelNamed } from './models.js';

/** Weights of a checkpoint: one file, or an index of several. */
export const WHOLE = 'model.safetensors';
export const INDEX = 'model.safetensors.index.json';

export interface ModelLocation {
  /** As it was given: a name, a path or an id. */
  readonly name: string;
  readonly kind: 'safetensors' | 'shards' | 'gguf';
  /** Absolute path of the weights, of the index (`shards`), or of the .gguf file. */
  readonly weights: string;
  /** Absolute path of the folder that holds them. */
  readonly folder: string;
}

/**
 * Finds a model.
 *
 * @param nameOrPath a name of the catalogue, a checkpoint folder, a .gguf file, or an id on the hub
 * @throws UserError where there is none, with what to do about it
 */
export function resolveModel(nameOrPath: string): ModelLocation {
  const entry = findModel(nameOrPath);
  if (entry !== undefined) return pulledModel(entry);
  const path = resolve(nameOrPath);
  const found = look(path);
  if (found === undefined) {
    const onHub = modelNamed(nameOrPath);
    if (onHub !== undefined) return pulledModel(onHub);
    throw unknownModel(nameOrPath);
  }
  if (found.isFile()) {
    if (path.endsWith('.gguf'))
      return { name: nameOrPath, kind: 'gguf', weights: path, folder: resolve(path, '..') };
    throw new UserError('expected a checkpoint folder or a .gguf file', { place: nameOrPath });
  }
  const weights = findWeights(path);
  if (weights !== undefined) return { name: nameOrPath, folder: path, ...weights };
  throw new UserError('holds no model', {
    place: nameOrPath,
    hint: 'Expected config.json, tokenizer.json and model.safetensors (or model.safetensors.index.json), or exactly one .gguf file.',
  });
}

/** Whether a model is known by its name or its id, and has to be pulled before it can be opened. */
export function mustBePulled(nameOrPath: string): boolean {
  const entry = findModel(nameOrPath) ?? (existsSync(nameOrPath) ? undefined : modelNamed(nameOrPath));
  return entry !== undefined && !weightsPresent(modelFolder(entry));
}

/** One whose files lie in the cache or in this package. */
function pulledModel(entry: CatalogueEntry): ModelLocation {
  const { name, sources } = entry;
  const folder = modelFolder(entry);
  const weights = existsSync(folder) ? findWeights(folder) : undefined;
  if (weights !== undefined) return { name, folder, ...weights };
  if (findModel(name) === undefined) {
    throw new UserError(`model "${name}" is not there: it has not been pulled, and no such folder is here`, {
      hint: `spark-eval pull ${name}`,
    });
  }
  const embedded = sources.some(({ kind }) => kind === 'embedded');
  throw new UserError(`model "${name}" is not there: no weights in ${folder}`, {
    hint: embedded ? 'This installation is incomplete.' : `spark-eval pull ${name}`,
  });
}

/** Undefined where there is nothing. Throws UserError where that cannot be told. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw new UserError(`cannot be looked at: ${readFault(cause)}`, { place: path, cause });
  }
}

/** Whether a folder holds a model's weights. */
export function weightsPresent(folder: string): boolean {
  return existsSync(folder) && findWeights(folder) !== undefined;
}

function findWeights(folder: string): Pick<ModelLocation, 'kind' | 'weights'> | undefined {
  const names = readdirSync(folder);
  if (names.includes('config.json')) {
    if (names.includes(WHOLE)) return { kind: 'safetensors', weights: join(folder, WHOLE) };
    if (names.includes(INDEX)) return { kind: 'shards', weights: join(folder, INDEX) };
  }
  const ggufs = names.filter((name) => name.endsWith('.gguf'));
  return ggufs.length === 1 ? { kind: 'gguf', weights: join(folder, ggufs[0]!) } : undefined;
}

function unknownModel(name: string): UserError {
  const looksLikePath = /[/\\]|\.gguf$/.test(name);
  if (looksLikePath) return new UserError('no such folder or file', { place: name, exitCode: 2 });
  return new UserError(`unknown model "${name}".${didYouMean(name, MODEL_NAMES)}`, {
    exitCode: 2,
    hint: `Known: ${MODEL_NAMES.join(', ')}; the path of a checkpoint folder or a .gguf file, or an id on the hub (${HUB_ID_FORMS}).`,
  });
}
