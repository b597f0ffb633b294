/** Layers that evict while decoding, driven by random attention instead of a cache, by absolute positions. */
import { onceByName } from '../../src/cache/once.js';
import { fullPlan } from '../../src/cache/plan.js';
import {
  observationKey,
  type HeadAttention,
  type LayerPlan,
  type LayerTrace,
  type Observation,
} from '../../src/cache/types.js';

export interface LiveShape {
  readonly kvHeads: number;
  /** G */
  readonly group: number;
  /** S */
  readonly length: number;
}

/** A trace of nothing but these observations. */
export function traceOf(
  { kvHeads, group, length }: LiveShape,
  observations: readonly (readonly [Observation, Float32Array])[],
): LayerTrace {
  return {
    layer: 0,
    layers: 1,
    heads: kvHeads * group,
    kvHeads,
    headDim: 8,
    length,
    keys: new Float32Array(kvHeads * length * 8),
    values: new Float32Array(kvHeads * length * 8),
    once: onceByName(),
    observations: new Map(
      observations.map(([observation, numbers]) => [observationKey(observation), numbers]),
    ),
  };
}

/** The full plan without some positions of each head, as an earlier step may leave it; the same of all heads if asked. */
export function heldPlan(trace: LayerTrace, random: () => number, alike = false): LayerPlan {
  const plan = fullPlan(trace);
  const keep = (all: Int32Array): Int32Array => all.filter((t) => t === 0 || random() < 0.8);
  const first = keep(plan.tokens[0]!);
  return { ...plan, tokens: plan.tokens.map((all) => (alike ? first.slice() : keep(all))) };
}

/** Logits of a new token's query heads to n tokens, `[G][n]`. */
export function randomLogits(group: number, n: number, random: () => number): number[][] {
  return Array.from({ length: group }, () => Array.from({ length: n }, () => Math.fround(6 * random() - 3)));
}

export function softmax(logits: readonly number[]): number[] {
  const sum = logits.reduce((total, x) => total + Math.exp(x), 0);
  return logits.map((x) => Math.exp(x) / sum);
}

/** What a cache would show of it. */
export function asAttention(logits: readonly (readonly number[])[]): HeadAttention {
  return {
    logits: Float32Array.from(logits.flat()),
    weights: Float32Array.from(logits.flatMap(softmax)),
  };
}

/**
 * Decodes `steps` tokens. `shown` hears of each token's logits to the held positions of each head, itself included;
 * `check` sees, before each eviction, what is held, and afterwards what stays.
 */
export function drive(
  { trace, plan, steps, random }: { trace: LayerTrace; plan: LayerPlan; steps: number; random: () => number },
  shown: (head: number, token: number, held: readonly number[], logits: number[][]) => void,
  check: (head: number, held: readonly number[], staying: readonly number[]) => void,
): void {
  const { evicts } = plan.decode!;
  const policy = plan.decode!.start(plan.tokens);
  let held = plan.tokens.map((tokens) => [...tokens]);
  const evict = (): void => {
    const going = policy.evict();
    held = held.map((positions, h) => {
      const staying = positions.filter((_, i) => !going[h]!.includes(i));
      check(h, positions, staying);
      return staying;
    });
  };
  for (let token = trace.length; token < trace.length + steps; token++) {
    if (evicts === 'before_attention') evict();
    for (const positions of held) positions.push(token);
    policy.attended(
      held.map((positions, h) => {
        const logits = randomLogits(trace.heads / trace.kvHeads, positions.length, random);
        shown(h, token, positions, logits);
        return asAttention(logits);
      }),
    );
    if (evicts === 'after_attention') evict();
  }
}

/** The k positions with the largest scores, ascending; ties to the lower. */
export function best(scores: ReadonlyMap<number, number>, k: number): number[] {
  return [...scores]
    .sort(([p, a], [q, b]) => b - a || p - q)
    .slice(0, k)
    .map(([position]) => position)
    .sort((p, q) => p - q);
}
