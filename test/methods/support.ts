/**
 * Layer traces for method tests: golden ones, with observations computed the slow, obvious way, and small random
 * ones; and the dense reading of a plan.
 */
import { onceByName } from '../../src/cache/once.js';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  observationKey,
  type LayerPlan,
  type LayerTrace,
  type Observation,
  type SidePlan,
  type SparseHead,
} from '../../src/cache/types.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import { measure, type Tensors } from './measure.js';

/** The numbers of the methods' own code; `METHODS_DIR` names another folder of the same form. */
const METHODS_DIR =
  process.env['METHODS_DIR'] ?? fileURLToPath(new URL('../fixtures/methods', import.meta.url));

export function methodFixture(...path: string[]): string {
  return join(METHODS_DIR, ...path);
}

interface LayerTensors extends Tensors {
  readonly layer: number;
  readonly layers: number;
}

/** A layer of the tiny golden llama. */
export function goldenTrace(layer: number, observations: readonly Observation[]): LayerTrace {
  const file = openSafetensors(methodFixture('qkv', 'tensors.safetensors'));
  try {
    const [heads, length, headDim] = file.shape(`layer${layer}.q`) as [number, number, number];
    const [kvHeads] = file.shape(`layer${layer}.k`) as [number];
    return traceOf(
      {
        shape: { heads, kvHeads, headDim, length },
        layer,
        layers: 3,
        queries: file.read(`layer${layer}.q`),
        keys: file.read(`layer${layer}.k`),
        values: file.read(`layer${layer}.v`),
      },
      observations,
    );
  } finally {
    file.close();
  }
}

/** A trace with entries from `next`, by default a fixed sequence in (−1, 1) without equal neighbours. */
export function smallTrace(
  shape: { heads: number; kvHeads: number; headDim: number; length: number },
  observations: readonly Observation[],
  next: () => number = waves(),
): LayerTrace {
  const { heads, kvHeads, headDim, length } = shape;
  const fill = (rows: number) => Float32Array.from({ length: rows * length * headDim }, next);
  return traceOf(
    { shape, layer: 0, layers: 1, queries: fill(heads), keys: fill(kvHeads), values: fill(kvHeads) },
    observations,
  );
}

export function waves(): () => number {
  let i = 0;
  return () => Math.sin(++i * 12.9898) * Math.cos(i * 0.7);
}

function traceOf(tensors: LayerTensors, observations: readonly Observation[]): LayerTrace {
  const measured = new Map<string, Float32Array>();
  for (const observation of observations)
    measured.set(observationKey(observation), measure(tensors, observation));
  const { shape, layer, layers, keys, values } = tensors;
  return { ...shape, layer, layers, keys, values, observations: measured, once: onceByName() };
}

/** What attention reads of one side under a plan: per KV head `[n, D]`. */
export function readSide(trace: LayerTrace, plan: LayerPlan, name: 'keys' | 'values'): Float32Array[] {
  const { headDim: D, length: S } = trace;
  const side = plan[name];
  return plan.tokens.map((positions, h) => {
    const n = positions.length;
    const out = new Float32Array(n * D);
    positions.forEach((position, t) => {
      for (let j = 0; j < D; j++) {
        const x = trace[name][(h * S + position) * D + j]!;
        out[t * D + j] =
          side.codec === 'dense'
            ? (side.contents?.[h]![t * D + j] ?? x)
            : side.codec === 'channels'
              ? t >= n - side.recent || side.masks[h]![j] === 1
                ? x
                : 0
              : readSparse(sparseHead(side, h), t, j, D, x);
      }
    });
    return out;
  });
}

function sparseHead(side: SidePlan, h: number): SparseHead {
  if (side.codec !== 'sparse') throw new Error(`${side.codec} entries cannot be read here`);
  return side.heads[h]!;
}

function readSparse({ mask, fill }: SparseHead, t: number, j: number, D: number, x: number): number {
  if (mask[t * D + j] === 1) return x;
  switch (fill.kind) {
    case 'zero':
      return 0;
    case 'mean':
      return fill.scale[t]!;
    case 'signed':
      return (x > 0 ? 1 : -1) * fill.scale[t]! * fill.channel[j]!;
  }
}
