/**
 * Folders of golden numbers per architecture: tiny models with the numbers that transformers and kvpress gave for them.
 *
 * `ARCH_DIR` names another folder of the same form. Large files may be compressed (`.gz` behind their name).
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { UserError } from '../../src/base/errors.js';
import { checkWeights, possibleTensors } from '../../src/checkpoint/check-weights.js';
import { architectureOfConfig, parseConfig } from '../../src/checkpoint/config.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import { withLayout } from '../../src/checkpoint/tensor-layout.js';
import type { ModelConfig } from '../../src/checkpoint/types.js';
import type { Engine } from '../../src/engine/types.js';
import { Transformer } from '../../src/model/transformer.js';
import type { GoldenPipeline } from './support.js';

export const ARCH_DIR =
  process.env['ARCH_DIR'] ?? fileURLToPath(new URL('../fixtures/arch', import.meta.url));

export interface ArchPipeline extends Omit<GoldenPipeline, 'kept_positions'> {
  /** Per layer, per KV head; null: this layer is left alone. */
  readonly kept_positions: readonly (readonly (readonly number[])[] | null)[] | null;
  /** Of ThinK: per compressed layer, per KV head. */
  readonly pruned_channels?: readonly (readonly (readonly number[])[])[];
  readonly margins: readonly number[];
  readonly logits_final: readonly number[];
}

export interface ExtraPrompt {
  readonly name: string;
  readonly context_ids: readonly number[];
  readonly prefill_last_logits?: readonly number[];
  readonly logits_after_suffix: readonly number[];
  readonly greedy_ids: readonly number[];
  readonly margins: readonly number[];
  readonly logits_final: readonly number[];
}

export interface ConfigVariant extends Omit<ExtraPrompt, 'context_ids'> {
  readonly rope_parameters: Readonly<Record<string, unknown>>;
}

export interface ArchGolden {
  readonly context_ids: readonly number[];
  readonly suffix_ids: readonly number[];
  readonly prefill_last_logits: readonly number[];
  readonly hidden_last_token: Readonly<Record<string, readonly number[]>>;
  readonly pipelines: readonly ArchPipeline[];
  readonly extra_prompts?: readonly ExtraPrompt[];
  readonly config_variants?: readonly ConfigVariant[];
}

/** Folders with a golden.json, sorted. */
export const archFolders: readonly string[] = existsSync(ARCH_DIR)
  ? readdirSync(ARCH_DIR, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && has(join(ARCH_DIR, entry.name, 'golden.json')))
      .map(({ name }) => name)
      .sort()
  : [];

function has(path: string): boolean {
  return existsSync(path) || existsSync(`${path}.gz`);
}

/** A file's bytes, unpacked where it is compressed. */
function bytesOf(path: string): Buffer {
  return existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
}

export function archJson(folder: string, file: string): unknown {
  return JSON.parse(bytesOf(join(ARCH_DIR, folder, file)).toString('utf8'));
}

export function archHas(folder: string, file: string): boolean {
  return has(join(ARCH_DIR, folder, file));
}

/** Whether the architecture of a folder is built; else why not. */
export function unbuilt(folder: string): string | undefined {
  try {
    architectureOfConfig(archJson(folder, 'config.json'), folder);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

export function archConfig(
  folder: string,
  file = 'config.json',
  changes: Readonly<Record<string, unknown>> = {},
): ModelConfig {
  return parseConfig({ ...(archJson(folder, file) as object), ...changes }, undefined, folder);
}

/** Runs with the path of the folder's model.safetensors, unpacked where it is compressed. */
export function withWeightsPath<T>(folder: string, run: (path: string) => T): T {
  const path = join(ARCH_DIR, folder, 'model.safetensors');
  if (existsSync(path)) return run(path);
  const temporary = mkdtempSync(join(tmpdir(), 'spark-eval-arch-'));
  try {
    const unpacked = join(temporary, 'model.safetensors');
    writeFileSync(unpacked, bytesOf(path));
    return run(unpacked);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The folder's model on an engine, as the program loads it. */
export function loadArch(
  engine: Engine,
  folder: string,
  changes: Readonly<Record<string, unknown>> = {},
): Transformer {
  const json = { ...(archJson(folder, 'config.json') as object), ...changes };
  const config = parseConfig(json, undefined, folder);
  return withWeightsPath(folder, (path) => {
    const file = openSafetensors(path);
    try {
      const layout = architectureOfConfig(json, folder).tensors;
      const weights = withLayout(file, layout, config, possibleTensors(config));
      checkWeights(config, weights, path);
      return Transformer.load(engine, { config, weights });
    } finally {
      file.close();
    }
  });
}
