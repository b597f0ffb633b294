/**
 * Reads a folder of golden cases: tiny models with the numbers that the released code gave for them.
 *
 * `GOLDEN_DIR` names another folder of the same form.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MethodStep } from '../../src/methods/types.js';
import { methods } from '../../src/methods/registry.js';

export const GOLDEN_DIR =
  process.env['GOLDEN_DIR'] ?? fileURLToPath(new URL('../fixtures/golden', import.meta.url));

export interface GoldenPipeline {
  readonly name: string;
  /** Per layer, per KV head. */
  readonly kept_positions: readonly (readonly (readonly number[])[])[] | null;
  readonly logits_after_suffix: readonly number[];
  readonly greedy_ids: readonly number[];
  readonly top2_margin: number;
}

export interface GoldenModel {
  readonly model: string;
  readonly context_ids: readonly number[];
  readonly suffix_ids: readonly number[];
  readonly prefill_last_logits: readonly number[];
  readonly pipelines: readonly GoldenPipeline[];
}

/** Architectures in the folder that have a golden.json of the tiny-model form. */
export const goldenModels = ['llama', 'llama3', 'qwen2', 'qwen3'].filter((name) =>
  existsSync(join(GOLDEN_DIR, name, 'golden.json')),
);

/** The golden.json of a tiny model. */
export function readGolden(name: string): GoldenModel {
  return readGoldenJson(name) as GoldenModel;
}

/** The golden.json of a folder; its form is the caller's to know. */
export function readGoldenJson(name: string): unknown {
  return JSON.parse(readFileSync(join(GOLDEN_DIR, name, 'golden.json'), 'utf8'));
}

/**
 * `snapkv budget=128 + think ratio=0.5 variant=kvpress` → validated steps; undefined where a method or
 * parameter of the case does not exist here.
 */
export function stepsOf(pipeline: string): MethodStep[] | undefined {
  if (pipeline === 'full') return [];
  const steps: MethodStep[] = [];
  for (const part of pipeline.split(' + ')) {
    const [name, ...fields] = part.split(' ');
    const method = methods.get(name!);
    if (method === undefined) return undefined;
    const raw = Object.fromEntries(
      fields.map((field) => {
        const [key, value] = field.split('=');
        return [key!, Number.isNaN(Number(value)) ? value : Number(value)];
      }),
    );
    const parsed = method.params.safeParse(raw);
    if (!parsed.success) {
      if (parsed.error.issues.some((issue) => issue.code === 'unrecognized_keys')) return undefined;
      throw parsed.error;
    }
    steps.push({ method: name!, params: parsed.data as Record<string, unknown> });
  }
  return steps;
}

/** Largest absolute difference. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}
