/**
 * A layer that no model computed: random keys and values in a real shape, to see how much a pipeline would store of it.
 *
 * Methods can rank it, and one KV head with its query heads stands for all.
 */
import { onceByName } from '../cache/once.js';
import { type LayerTrace, type Observation, observationKey, observationSize } from '../cache/types.js';
import type { ModelConfig } from '../checkpoint/types.js';
import { concatenate } from '../base/concatenate.js';
import { type Random, randomFor } from '../base/random.js';

/** Long prompts repeat these. */
const DISTINCT_ROWS = 4096;

export type TraceShape = Pick<ModelConfig, 'layers' | 'heads' | 'kvHeads' | 'headDim' | 'windows'>;

/**
 * @param length S, tokens of the prompt
 * @param draw at least 0; a greater one gives other entries, less evenly spread over channels and tokens
 */
export function randomTrace(
  { layers, heads, kvHeads, headDim: D }: TraceShape,
  length: number,
  observations: readonly Observation[],
  draw: number,
): LayerTrace {
  const random = randomFor('estimate', draw);
  const G = heads / kvHeads;
  const spread = Float32Array.from({ length: D }, () => Math.exp(draw * 2 * normal(random)));
  const rows = (count: number): Float32Array => {
    const list = new Float32Array(count * D);
    const drawn = list.subarray(0, DISTINCT_ROWS * D);
    for (let i = 0; i < drawn.length; i++) drawn[i] = spread[i % D]! * normal(random);
    for (let at = drawn.length; at < list.length; at *= 2) list.copyWithin(at, 0, at);
    return list;
  };
  const positive = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => uniform(random) ** (1 + 4 * draw));
  const shape = { layer: 0, layers, heads: G, kvHeads: 1, headDim: D, length };
  const observed = observations.map(
    (observation) => [observationKey(observation), observe(observation, shape, rows, positive)] as const,
  );
  return {
    ...shape,
    keys: rows(length),
    values: rows(length),
    observations: new Map(observed),
    once: onceByName(),
  };
}

function observe(
  observation: Observation,
  shape: Pick<LayerTrace, 'heads' | 'kvHeads' | 'headDim' | 'length'>,
  rows: (count: number) => Float32Array,
  positive: (count: number) => Float32Array,
): Float32Array {
  const { heads: H, headDim: D, length: S } = shape;
  const size = observationSize(observation, shape);
  switch (observation.kind) {
    case 'window_queries':
    case 'window_outputs':
    case 'future_query':
    case 'unrotated_keys':
      return rows(size / D);
    case 'window_attention':
    case 'attention_sums':
    case 'value_output_norms':
    case 'chunk_attention':
    case 'future_logits':
      return positive(size);
    case 'window_logits': {
      const logits = positive(size); // [H, w, S]
      const window = size / H / S;
      for (let row = 0; row < H * window; row++) {
        const seen = S - window + (row % window) + 1;
        logits.fill(-Infinity, row * S + seen, (row + 1) * S);
      }
      return logits;
    }
    case 'in_chunks': {
      const parts: Float32Array[] = [];
      for (let start = 0; start < S; start += observation.chunk) {
        const length = Math.min(observation.chunk, S - start);
        parts.push(observe(observation.of, { ...shape, length }, rows, positive));
      }
      return concatenate(parts);
    }
  }
}

/** In (0, 1). */
function uniform(random: Random): number {
  return (random.uint32() + 0.5) / 2 ** 32;
}

/** Sum of uniforms: near enough to normal to rank by. */
function normal(random: Random): number {
  return 2 * (uniform(random) + uniform(random) + uniform(random)) - 3;
}
