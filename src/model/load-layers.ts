/**
 * The weights of a checkpoint → tensors on the engine, as the forward pass wants them.
 *
 * Matrices are stored `[in, out]`, q|k|v joined; gate and up apart, as one product of the two ran at half the speed. Factors
 * that an architecture multiplies by at each step are multiplied into the weights here, once.
 * Alphabet: E model width, H query heads, KV key/value heads, D head width, F MLP width, V vocabulary.
 */
import { concatenate } from '../base/concatenate.js';
import type { ModelConfig, WeightSource } from '../checkpoint/types.js';
import type { Ops, Tensor } from '../engine/types.js';
import type { ExpertWeights, LayerWeights, Mlp, Norm } from './layer-weights.js';

/** What the model holds beside its layers. */
export interface OuterWeights {
  readonly finalNorm: Norm;
  /** `[E, V]` */
  readonly head: Tensor;
  /** `[V, E]`, on the host: a prompt needs few of its rows. */
  readonly embedding: Float32Array;
}

export function loadOuter(ops: Ops, config: ModelConfig, weights: WeightSource): OuterWeights {
  const embedding = weights.read('model.embed_tokens.weight');
  const ownHead = config.tiedHead ? embedding : weights.read('lm_head.weight');
  const head = transposed(ops, scaled(config.tiedHead ? ownHead.slice() : ownHead, config.logitScale), [
    config.vocabulary,
    config.hidden,
  ]);
  return { finalNorm: loadNorm(ops, config, weights, 'model.norm'), head, embedding };
}

export function loadLayer(ops: Ops, config: ModelConfig, weights: WeightSource, index: number): LayerWeights {
  const { hidden, headDim, biases, places, residualScale } = config;
  const prefix = `model.layers.${index}`;
  const queryWidth = config.heads * headDim;
  const normAt = (there: boolean, name: string, scale = 1): Norm | undefined =>
    there ? loadNorm(ops, config, weights, `${prefix}.${name}`, scale) : undefined;
  // what is added to the residual is scaled by the last thing that makes it
  const outputScale = places.attentionOut ? 1 : residualScale;
  return {
    attentionNorm: normAt(places.attentionIn, 'input_layernorm'),
    attentionOutNorm: normAt(places.attentionOut, 'post_self_attn_layernorm', residualScale),
    mlpNorm: normAt(places.mlpIn, 'post_attention_layernorm'),
    mlpOutNorm: normAt(places.mlpOut, 'post_mlp_layernorm', residualScale),
    ...loadProjections(ops, config, weights, `${prefix}.self_attn`),
    output: transposed(ops, scaled(weights.read(`${prefix}.self_attn.o_proj.weight`), outputScale), [
      hidden,
      queryWidth,
    ]),
    outputBias: biases.output
      ? vector(ops, scaled(weights.read(`${prefix}.self_attn.o_proj.bias`), outputScale))
      : undefined,
    mlp:
      config.experts?.layers[index] === true
        ? loadExperts(ops, config, weights, `${prefix}.mlp`)
        : loadMlp(ops, config, weights, `${prefix}.mlp`, config.intermediate),
    lowRank: undefined,
  };
}

type Projections = Pick<LayerWeights, 'qkv' | 'qkvBias' | 'queryNorm' | 'keyNorm'>;

/** Queries, keys, values. Attention divides by √D whatever the architecture: the rest of its scale goes into the queries. */
function loadProjections(ops: Ops, config: ModelConfig, weights: WeightSource, prefix: string): Projections {
  const { heads, kvHeads, headDim, headNorm, norm, biases } = config;
  const rows = (heads + 2 * kvHeads) * headDim;
  const scale = config.attentionScale === headDim ** -0.5 ? 1 : config.attentionScale * Math.sqrt(headDim);
  const joined = (kind: 'weight' | 'bias'): Float32Array => {
    const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((part) => weights.read(`${prefix}.${part}.${kind}`));
    return concatenate([scaled(q!, headNorm === 'none' ? scale : 1), k!, v!]);
  };
  const headNormOf = (name: string, by: number): Tensor | undefined =>
    headNorm === 'none'
      ? undefined
      : vector(ops, scaled(plusOne(weights.read(`${prefix}.${name}.weight`), norm.plusOne), by));
  return {
    qkv: transposed(ops, joined('weight'), [rows, config.hidden]),
    qkvBias: biases.qkv ? ops.fromHost(joined('bias'), [rows]) : undefined,
    queryNorm: headNormOf('q_norm', scale),
    keyNorm: headNormOf('k_norm', 1),
  };
}

function loadMlp(ops: Ops, config: ModelConfig, weights: WeightSource, prefix: string, width: number): Mlp {
  const { hidden, gated, biases, places } = config;
  const scale = places.mlpOut ? 1 : config.residualScale;
  const matrix = (name: string, shape: readonly [number, number], by = 1): Tensor =>
    transposed(ops, scaled(weights.read(`${prefix}.${name}.weight`), by), shape);
  const bias = (name: string, by = 1): Tensor | undefined =>
    biases.mlp ? vector(ops, scaled(weights.read(`${prefix}.${name}.bias`), by)) : undefined;
  return {
    gate: gated ? matrix('gate_proj', [width, hidden]) : undefined,
    up: matrix('up_proj', [width, hidden]),
    down: matrix('down_proj', [hidden, width], scale),
    gateBias: gated ? bias('gate_proj') : undefined,
    upBias: bias('up_proj'),
    downBias: bias('down_proj', scale),
  };
}

/** One kind of matrix of all experts after the other: a file may hold all of a kind in one tensor. */
function loadExperts(ops: Ops, config: ModelConfig, weights: WeightSource, prefix: string): ExpertWeights {
  const { count, width } = config.experts!;
  const { hidden, residualScale } = config;
  const all = (name: string, shape: readonly [number, number], by = 1): Tensor[] =>
    Array.from({ length: count }, (_, e) =>
      transposed(ops, scaled(weights.read(`${prefix}.experts.${e}.${name}.weight`), by), shape),
    );
  const router = transposed(ops, weights.read(`${prefix}.gate.weight`), [count, hidden]);
  const gates = all('gate_proj', [width, hidden]);
  const ups = all('up_proj', [width, hidden]);
  const downs = all('down_proj', [hidden, width], residualScale);
  const experts = gates.map((gate, e) => ({
    ...{ gate, up: ups[e]!, down: downs[e]! },
    ...{ gateBias: undefined, upBias: undefined, downBias: undefined },
  }));
  return { router, experts };
}

function loadNorm(ops: Ops, { norm }: ModelConfig, weights: WeightSource, name: string, scale = 1): Norm {
  return {
    weight: vector(ops, scaled(plusOne(weights.read(`${name}.weight`), norm.plusOne), scale)),
    bias: norm.bias ? vector(ops, scaled(weights.read(`${name}.bias`), scale)) : undefined,
  };
}

/** In place. */
function scaled(data: Float32Array, by: number): Float32Array {
  if (by !== 1) for (let i = 0; i < data.length; i++) data[i]! *= by;
  return data;
}

/** In place. */
function plusOne(data: Float32Array, there: boolean): Float32Array {
  if (there) for (let i = 0; i < data.length; i++) data[i]! += 1;
  return data;
}

function vector(ops: Ops, data: Float32Array): Tensor {
  return ops.fromHost(data, [data.length]);
}

/** `[out, in]` on the host → `[in, out]` on the engine. */
function transposed(ops: Ops, data: Float32Array, shape: readonly [number, number]): Tensor {
  return ops.tidy(() => ops.transpose(ops.fromHost(data, shape), [1, 0]));
}
