/**
 * Layer traces for method tests: golden ones, with observations computed the slow, obvious way, and small random
 * ones; and the dense reading of a plan.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { observationKey, type LayerPlan, type LayerTrace, type Observation } from '../../src/cache/types.js';
import { openSafetensors } from '../../src/model/safetensors.js';

/** The methods' own golden numbers; follows `GOLDEN_DIR`, where they are the folder `methods`. */
const METHODS_DIR =
  process.env['GOLDEN_DIR'] === undefined
    ? fileURLToPath(new URL('../fixtures/methods', import.meta.url))
    : join(process.env['GOLDEN_DIR'], 'methods');

export function methodFixture(...path: string[]): string {
  return join(METHODS_DIR, ...path);
}

interface Tensors {
  readonly shape: { heads: number; kvHeads: number; headDim: number; length: number };
  readonly layer: number;
  readonly layers: number;
  /** `[H, S, D]`, post-RoPE */
  readonly queries: Float32Array;
  /** `[KV, S, D]`, post-RoPE */
  readonly keys: Float32Array;
  readonly values: Float32Array;
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

function traceOf(tensors: Tensors, observations: readonly Observation[]): LayerTrace {
  const measured = new Map<string, Float32Array>();
  for (const observation of observations)
    measured.set(observationKey(observation), measure(tensors, observation));
  const { shape, layer, layers, keys, values } = tensors;
  return { ...shape, layer, layers, keys, values, observations: measured };
}

function measure(tensors: Tensors, { kind, window }: Observation): Float32Array {
  return kind === 'window_queries' ? lastQueries(tensors, window) : meanAttention(tensors, window);
}

function lastQueries(
  { shape: { heads, length: S, headDim: D }, queries }: Tensors,
  window: number,
): Float32Array {
  const w = Math.min(window, S);
  const last = new Float32Array(heads * w * D);
  for (let h = 0; h < heads; h++) last.set(queries.subarray((h * S + S - w) * D, (h + 1) * S * D), h * w * D);
  return last;
}

function meanAttention(
  { shape: { heads, kvHeads, length: S, headDim: D }, queries, keys }: Tensors,
  window: number,
): Float32Array {
  const w = Math.min(window, S);
  const mean = new Float64Array(heads * S);
  for (let h = 0; h < heads; h++) {
    const kv = Math.floor(h / (heads / kvHeads));
    for (let u = S - w; u < S; u++) {
      const logits = Array.from({ length: u + 1 }, (_, t) => {
        let dot = 0;
        for (let j = 0; j < D; j++) dot += queries[(h * S + u) * D + j]! * keys[(kv * S + t) * D + j]!;
        return dot / Math.sqrt(D);
      });
      const top = Math.max(...logits);
      const weights = logits.map((logit) => Math.exp(logit - top));
      const sum = weights.reduce((a, b) => a + b, 0);
      weights.forEach((weight, t) => (mean[h * S + t]! += weight / sum / w));
    }
  }
  return Float32Array.from(mean);
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
            ? x
            : side.codec === 'channels'
              ? t >= n - side.recent || side.masks[h]![j] === 1
                ? x
                : 0
              : readSparse(side.heads[h]!, t, j, D, x);
      }
    });
    return out;
  });
}

function readSparse(
  { mask, fill }: Extract<LayerPlan['keys'], { codec: 'sparse' }>['heads'][number],
  t: number,
  j: number,
  D: number,
  x: number,
): number {
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
