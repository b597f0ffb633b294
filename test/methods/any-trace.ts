/**
 * A trace with whatever a method may read: entries and attention as `smallTrace` makes them, random numbers in place
 * of what needs a model (output projections, queries before RoPE), and low-rank keys and values where they are asked for.
 */
import {
  observationKey,
  observationSize,
  type LatentGroup,
  type LayerTrace,
  type LowRankTrace,
  type Observation,
} from '../../src/cache/types.js';
import { ropeTable, rotateHeads } from '../../src/model/rope.js';
import { smallTrace } from './support.js';

export interface TraceShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly length: number;
}

export interface TraceNeeds {
  readonly observations: readonly Observation[];
  /** True where the method runs on weights of its own. */
  readonly lowRank: boolean;
}

/** @param random numbers in [0, 1) */
export function anyTrace(shape: TraceShape, needs: TraceNeeds, random: () => number): LayerTrace {
  const signed = (): number => 2 * random() - 1;
  const fromModel = new Map(
    needs.observations.map((observation) => [observation, ofModel(shape, observation, signed)] as const),
  );
  const measured = needs.observations.filter((observation) => fromModel.get(observation) === undefined);
  const trace = smallTrace(shape, measured, signed);
  const observations = new Map(trace.observations);
  for (const [observation, numbers] of fromModel) {
    if (numbers !== undefined) observations.set(observationKey(observation), numbers);
  }
  if (!needs.lowRank) return { ...trace, observations };
  const lowRank = randomLowRank(shape, signed);
  return {
    ...trace,
    observations,
    lowRank,
    keys: rebuild(shape, lowRank.keys, lowRank.ropeFrequencies),
    values: rebuild(shape, lowRank.values),
  };
}

/** What no keys and queries alone decide; undefined for everything else. */
function ofModel(
  shape: TraceShape,
  observation: Observation,
  signed: () => number,
): Float32Array | undefined {
  const numbers = { length: observationSize(observation, shape) };
  switch (observation.kind) {
    case 'value_output_norms':
      return Float32Array.from(numbers, () => 1 + signed());
    case 'future_logits':
    case 'future_query':
    case 'unrotated_keys':
      return Float32Array.from(numbers, signed);
    case 'in_chunks':
      return inChunks(shape, observation, signed);
    default:
      return undefined;
  }
}

/** Each chunk measured in a trace of its own: what counts is that the numbers are of one. */
function inChunks(
  shape: TraceShape,
  { chunk, of }: Extract<Observation, { kind: 'in_chunks' }>,
  signed: () => number,
): Float32Array {
  const parts: number[] = [];
  for (let start = 0; start < shape.length; start += chunk) {
    const own = { ...shape, length: Math.min(chunk, shape.length - start) };
    parts.push(...(ofModel(own, of, signed) ?? measured(own, of, signed)));
  }
  return Float32Array.from(parts);
}

function measured(shape: TraceShape, observation: Observation, signed: () => number): Float32Array {
  return smallTrace(shape, [observation], signed).observations.get(observationKey(observation))!;
}

/** Keys: the first KV head alone, the others together, with bias. Values: all together. */
function randomLowRank({ kvHeads, headDim: D, length }: TraceShape, signed: () => number): LowRankTrace {
  const group = (heads: readonly number[], rank: number, biased: boolean): LatentGroup => ({
    heads,
    rank,
    latent: Float32Array.from({ length: length * rank }, signed),
    up: Float32Array.from({ length: rank * heads.length * D }, signed),
    bias: biased ? Float32Array.from({ length: heads.length * D }, signed) : undefined,
  });
  const all = Array.from({ length: kvHeads }, (_, head) => head);
  const others = all.slice(1).reverse();
  return {
    keys: [group([0], 5, true), ...(others.length === 0 ? [] : [group(others, 8, true)])],
    values: [group(all, 7, false)],
    ropeFrequencies: Float32Array.from({ length: D / 2 }, (_, j) => 10_000 ** ((-2 * j) / D)),
  };
}

/** `latent · up + bias`, rotated where frequencies are given; `[KV, S, D]`. */
function rebuild(
  { kvHeads, headDim: D, length: S }: TraceShape,
  groups: readonly LatentGroup[],
  frequencies?: Float32Array,
): Float32Array {
  const out = new Float32Array(kvHeads * S * D);
  for (const { heads, rank, latent, up, bias } of groups) {
    const width = heads.length * D;
    heads.forEach((head, place) => {
      for (let t = 0; t < S; t++) {
        for (let j = 0; j < D; j++) {
          const column = place * D + j;
          let sum = bias?.[column] ?? 0;
          for (let r = 0; r < rank; r++) sum += latent[t * rank + r]! * up[r * width + column]!;
          out[(head * S + t) * D + j] = sum;
        }
      }
    });
  }
  if (frequencies !== undefined) {
    const table = ropeTable({ frequencies, factor: 1, pairing: 'half' }, 0, S);
    for (let head = 0; head < kvHeads; head++) {
      for (let t = 0; t < S; t++) rotateHeads(out, (head * S + t) * D, 1, D, table, t);
    }
  }
  return out;
}
