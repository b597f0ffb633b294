/**
 * The model over calibration sequences, one layer of one sequence at a time.
 *
 * What waits between layers waits on the host, so that any number of sequences fits beside the weights.
 * Alphabet: T tokens of a sequence, E model width.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tensor } from '../engine/types.js';
import type { LayerWeights } from '../model/layer-weights.js';
import { causalAttention } from '../model/prefill-attention.js';
import { splitHeads } from '../model/prefill.js';
import { onEngine as tablesOnEngine, type RopeTensors } from '../model/rotate.js';
import type { Transformer } from '../model/transformer.js';

/** Added to the diagonal of C, as a fraction of its mean. */
const RIDGE = 1e-6;

/** Angles of the positions 0 … T − 1. */
export interface SequenceRopes {
  /** By layer. */
  readonly ropes: readonly (RopeTensors | undefined)[];
  /** What the caller disposes of. */
  readonly owned: readonly Tensor[];
}

export function ropesOf(model: Transformer, length: number): SequenceRopes {
  return tablesOnEngine(model.ops, model.rotations.prompt(length, length));
}

/** A layer's index and its rotation. */
export interface LayerPlace {
  readonly layer: number;
  readonly rope: RopeTensors | undefined;
}

/** One layer over a whole sequence, `[T, E]` → `[T, E]`; differentiable by `x` and by every weight. */
export function layerOutput(
  model: Transformer,
  weights: LayerWeights,
  x: Tensor,
  { layer, rope }: LayerPlace,
): Tensor {
  const heads = splitHeads(model, layer, weights, x, rope);
  return model.finish(weights, x, causalAttention(model.ops, heads, 0).attended);
}

/** The inputs of the first layer, `[T, E]` each. */
export function embeddings(model: Transformer, sequences: readonly (readonly number[])[]): Float32Array[] {
  return sequences.map((ids) => model.ops.tidy(() => model.ops.toHost(model.embed(ids))));
}

/** Every sequence through one layer. */
export async function throughLayer(
  model: Transformer,
  weights: LayerWeights,
  inputs: readonly Float32Array[],
  place: LayerPlace,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const { ops } = model;
  const outputs: Float32Array[] = [];
  for (const input of inputs) {
    outputs.push(ops.tidy(() => ops.toHost(layerOutput(model, weights, onEngine(model, input), place))));
    await betweenSequences(signal);
  }
  return outputs;
}

/** C = Σ x̂ᵀx̂ over all tokens, x̂ the normed input of the layer; `[E, E]`, positive definite. */
export async function gramOf(
  model: Transformer,
  weights: LayerWeights,
  inputs: readonly Float32Array[],
  signal?: AbortSignal,
): Promise<Float64Array> {
  const { ops, config } = model;
  const gram = new Float64Array(config.hidden ** 2);
  for (const input of inputs) {
    const part = ops.tidy(() => {
      const normed = model.normInput(weights, onEngine(model, input)); // [T, E]
      return ops.toHost(ops.matMul(ops.transpose(normed, [1, 0]), normed));
    });
    for (let i = 0; i < part.length; i++) gram[i]! += part[i]!;
    await betweenSequences(signal);
  }
  return withRidge(gram, config.hidden);
}

/** Lets an interrupt be seen; throws the signal's reason where it asks to stop. */
export async function betweenSequences(signal: AbortSignal | undefined): Promise<void> {
  await nextTurn();
  signal?.throwIfAborted();
}

/** Few tokens leave C singular, and products in float32 then give it eigenvalues just below 0. */
function withRidge(gram: Float64Array, E: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < E; i++) trace += gram[i * E + i]!;
  for (let i = 0; i < E; i++) gram[i * E + i]! += (RIDGE * trace) / E;
  return gram;
}

/** `[T, E]` */
function onEngine(model: Transformer, x: Float32Array): Tensor {
  const { hidden } = model.config;
  return model.ops.fromHost(x, [x.length / hidden, hidden]);
}
