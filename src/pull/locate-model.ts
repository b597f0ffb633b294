/**
 * From a model's name or path to the files on disk.
 *
 * A name, a hub id and a path are told apart, and a missing model says what to pull. Reads no file's content.
 */
import { existsSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readFault } from '../base/disk.js';
import { UserError } from '../base/errors.js';
import { didYouMean } from '../base/did-you-mean.js';
import { type CatalogueEntry, findModel, MODEL_NAMES, modelFolder } from './models.js';

export interface ModelLocation {
  /** Catalogue name, or the path as it was given. */
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
 * @param nameOrPath a name of the catalogue, a checkpoint folder, or a .gguf file
 * @throws UserError where there is none, with what to do about it
 */
export function resolveModel(nameOrPath: string): ModelLocation {
  const entry = findModel(nameOrPath);
  if (entry !== undefined) {
    const folder = modelFolder(entry);
    const weights = existsSync(folder) ? findWeights(folder) : undefined;
    if (weights !== undefined) return { name: nameOrPath, folder, ...weights };
    const embedded = entry.sources.some(({ kind }) => kind === 'embedded');
    throw new UserError(`model "${nameOrPath}" is not there: no weights in ${folder}`, {
      hint: embedded ? 'This installation is incomplete.' : `spark-eval pull ${nameOrPath}`,
    });
  }
  const path = resolve(nameOrPath);
  const found = look(path);
  if (found === undefined) throw unknownModel(nameOrPath);
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

/** Undefined where there is nothing. Throws UserError where that cannot be told. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw new UserError(`cannot be looked at: ${readFault(cause)}`, { place: path, cause });
  }
}

/** The catalogue's entry. Throws UserError for any other name. */
export function requireModel(name: string): CatalogueEntry {
  const entry = findModel(name);
  if (entry === undefined) throw unknownModel(name);
  return entry;
}

/** Whether a folder holds a model's weights. */
export function weightsPresent(folder: string): boolean {
  return existsSync(folder) && findWeights(folder) !== undefined;
}

function findWeights(folder: string): Pick<ModelLocation, 'kind' | 'weights'> | undefined {
  const names = readdirSync(folder);
  if (names.includes('config.json')) {
    if (names.includes('model.safetensors'))
      return { kind: 'safetensors', weights: join(folder, 'model.safetensors') };
    const index = 'model.safetensors.index.json';
    if (names.includes(index)) return { kind: 'shards', weights: join(folder, index) };
  }
  const ggufs = names.filter((name) => name.endsWith('.gguf'));
  return ggufs.length === 1 ? { kind: 'gguf', weights: join(folder, ggufs[0]!) } : undefined;
}

function unknownModel(name: string): UserError {
  const looksLikePath = /[/\\]|\.gguf$/.test(name);
  if (looksLikePath) return new UserError('no such folder or file', { place: name, exitCode: 2 });
  return new UserError(`unknown model "${name}".${didYouMean(name, MODEL_NAMES)}`, {
    exitCode: 2,
    hint: `Known: ${MODEL_NAMES.join(', ')}; or the path of a checkpoint folder or a .gguf file.`,
  });
}
