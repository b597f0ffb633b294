/**
 * The configuration of a model, and how large its weights are: for commands that answer at once and must load neither
 * tokenizer nor weights.
 *
 * The model's own files come first, the catalogue where they are not there.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile } from '../base/json.js';
import { findModel, modelFolder, modelNamed } from '../pull/models.js';
import { architectureOfConfig, parseConfig } from './config.js';
import { ggufConfig } from './gguf/config.js';
import { openGguf } from './gguf/file.js';
import { mustBePulled, resolveModel, weightsPresent } from '../pull/locate-model.js';
import { openShards } from './safetensors-shards.js';
import { openSafetensors } from './safetensors.js';
import type { TensorLayout } from './tensor-layout.js';
import type { ModelConfig } from './types.js';
import { weightBytes } from './weight-bytes.js';

/**
 * The configuration alone, for estimates: no weights are read, no digest is taken. A model of the catalogue whose files are
 * not there has the one that was published, where the catalogue knows it.
 */
export function readModelConfig(nameOrPath: string): ModelConfig {
  const entry = existsSync(nameOrPath) ? findModel(nameOrPath) : modelNamed(nameOrPath);
  if (entry?.config !== undefined && !weightsPresent(modelFolder(entry))) {
    return parseConfig(entry.config, undefined, `${nameOrPath} (catalogue)`);
  }
  const location = resolveModel(nameOrPath);
  if (location.kind !== 'gguf') return readFolderModel(location.folder).config;
  const gguf = openGguf(location.weights);
  try {
    return ggufConfig(gguf);
  } finally {
    gguf.tensors.close();
  }
}

/** Bytes of a model's weights as they are held, by the headers of its files; undefined where these are not there. */
export function storedWeightBytes(nameOrPath: string): number | undefined {
  if (mustBePulled(nameOrPath)) return undefined;
  const { kind, weights: path } = resolveModel(nameOrPath);
  if (!existsSync(path)) return undefined;
  const weights =
    kind === 'gguf' ? openGguf(path).tensors : kind === 'shards' ? openShards(path) : openSafetensors(path);
  try {
    return weightBytes(weights);
  } finally {
    weights.close();
  }
}

/** Of a checkpoint folder: the configuration, and how its tensors are called. */
export function readFolderModel(folder: string): {
  readonly config: ModelConfig;
  readonly layout: TensorLayout;
} {
  const path = join(folder, 'config.json');
  const json = readJsonFile(path);
  return {
    config: parseConfig(json, optionalJson(join(folder, 'generation_config.json')), path),
    layout: architectureOfConfig(json, path).tensors,
  };
}

/** A JSON file's content; undefined where there is none. */
export function optionalJson(path: string): unknown {
  return existsSync(path) ? readJsonFile(path) : undefined;
}
