/**
 * Reads a folder of golden cases: tiny models with the numbers that the released code gave for them.
 *
 * `GOLDEN_DIR` names another folder of the same form.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shiftsOf } from '../../src/cache/plan.js';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import type { LayerCache, LayerPlan, LayerTrace } from '../../src/cache/types.js';
import { openKernels } from '../../src/kernels/index.js';
import { observationsOf, planLayer } from '../support/planning.js';
import { methods } from '../../src/methods/built-in.js';
import type { MethodStep } from '../../src/methods/types.js';
import type { DecodeRow } from '../../src/model/decode.js';
import { prefill } from '../../src/model/prefill.js';
import type { Transformer } from '../../src/model/transformer.js';

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
  for (const part of pipeline
    .replace('groups=5', 'adaptive=g5')
    .replace('observed_attention', 'h2o')
    .split(' + ')) {
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

/**
 * The prompt prefilled and compressed in float32, and each layer's keys `[KV, S, D]`; the caller frees `row.caches`.
 *
 * @param positions per layer and KV head, in place of those that the steps keep
 * @param reach tokens that the run may come to; undefined: not known
 */
export async function compressGolden(
  model: Transformer,
  ids: readonly number[],
  steps: readonly MethodStep[],
  positions?: readonly (readonly (readonly number[])[])[],
  reach?: number,
  registry = methods,
): Promise<{
  row: DecodeRow;
  plans: LayerPlan[];
  keys: Float32Array[];
  logits: Float32Array;
  traces: LayerTrace[];
}> {
  const kernels = openKernels();
  const traces: LayerTrace[] = [];
  const plans: LayerPlan[] = [];
  const keys: Float32Array[] = [];
  const caches: LayerCache[] = [];
  const logits = await prefill(model, {
    ids,
    reach,
    observations: observationsOf([{ label: '', steps }], registry),
    onLayer: (trace) => {
      traces.push(trace);
      const planned = planLayer(trace, steps, registry);
      const given = positions?.[trace.layer];
      const plan =
        given === undefined ? planned : { ...planned, tokens: given.map((t) => Int32Array.from(t)) };
      plans.push(plan);
      keys.push(trace.keys);
      caches.push(encodeLayer(trace, plan, 'float32', kernels));
    },
  });
  return {
    row: { caches, position: ids.length, shifts: shiftsOf(plans, ids.length), reach },
    plans,
    keys,
    logits,
    traces,
  };
}

/** The best token and its distance to the second. */
export function bestTwo(logits: Float32Array): { best: number; margin: number } {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  let second = -Infinity;
  logits.forEach((value, i) => {
    if (i !== best && value > second) second = value;
  });
  return { best, margin: logits[best]! - second };
}
