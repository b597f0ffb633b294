/**
 * The weights of a checkpoint → the parts of a layer, as the forward pass wants them.
 *
 * Factors that an architecture multiplies by at each step are multiplied into the weights here, once. What a matrix and a vector
 * are is for the builder to say: tensors for a prefill, packed rows for decoding.
 */
import type { ModelConfig } from '../checkpoint/types.js';
import type { ExpertWeights, LayerParts, Mlp, Norm } from './layer-weights.js';

/** A tensor of the checkpoint, times a factor. */
export interface Scaled {
  readonly name: string;
  readonly by: number;
}

export interface LayerBuilder<M, V> {
  /** Matrices, their outputs side by side. */
  matrix(parts: readonly Scaled[]): M;
  /** Vectors, one after the other; `plusOne`: 1 is added before the factor. */
  vector(parts: readonly Scaled[], plusOne?: boolean): V;
}

export function loadLayer<M, V>(
  build: LayerBuilder<M, V>,
  config: ModelConfig,
  index: number,
): LayerParts<M, V> {
  const { biases, places, residualScale } = config;
  const prefix = `model.layers.${index}`;
  const normAt = (there: boolean, name: string, scale = 1): Norm<V> | undefined =>
    there ? loadNorm(build, config, `${prefix}.${name}`, scale) : undefined;
  // what is added to the residual is scaled by the last thing that makes it
  const outputScale = places.attentionOut ? 1 : residualScale;
  return {
    attentionNorm: normAt(places.attentionIn, 'input_layernorm'),
    attentionOutNorm: normAt(places.attentionOut, 'post_self_attn_layernorm', residualScale),
    mlpNorm: normAt(places.mlpIn, 'post_attention_layernorm'),
    mlpOutNorm: normAt(places.mlpOut, 'post_mlp_layernorm', residualScale),
    ...loadProjections(build, config, `${prefix}.self_attn`),
    output: build.matrix([{ name: `${prefix}.self_attn.o_proj.weight`, by: outputScale }]),
    outputBias: biases.output
      ? build.vector([{ name: `${prefix}.self_attn.o_proj.bias`, by: outputScale }])
      : undefined,
    mlp:
      config.experts?.layers[index] === true
        ? loadExperts(build, config, `${prefix}.mlp`)
        : loadMlp(build, config, `${prefix}.mlp`),
  };
}

type Projections<M, V> = Pick<LayerParts<M, V>, 'qkv' | 'qkvBias' | 'queryNorm' | 'keyNorm'>;

/** Queries, keys, values. Attention divides by √D whatever the architecture: the rest of its scale goes into the queries. */
function loadProjections<M, V>(
  build: LayerBuilder<M, V>,
  config: ModelConfig,
  prefix: string,
): Projections<M, V> {
  const { headDim, headNorm, norm, biases } = config;
  const scale = config.attentionScale === headDim ** -0.5 ? 1 : config.attentionScale * Math.sqrt(headDim);
  const parts = (kind: 'weight' | 'bias'): Scaled[] =>
    ['q_proj', 'k_proj', 'v_proj'].map((part) => ({
      name: `${prefix}.${part}.${kind}`,
      by: part === 'q_proj' && headNorm === 'none' ? scale : 1,
    }));
  const headNormOf = (name: string, by: number): V | undefined =>
    headNorm === 'none' ? undefined : build.vector([{ name: `${prefix}.${name}.weight`, by }], norm.plusOne);
  return {
    qkv: build.matrix(parts('weight')),
    qkvBias: biases.qkv ? build.vector(parts('bias')) : undefined,
    queryNorm: headNormOf('q_norm', scale),
    keyNorm: headNormOf('k_norm', 1),
  };
}

function loadMlp<M, V>(build: LayerBuilder<M, V>, config: ModelConfig, prefix: string): Mlp<M, V> {
  const { gated, biases, places } = config;
  const scale = places.mlpOut ? 1 : config.residualScale;
  const matrix = (name: string, by = 1): M => build.matrix([{ name: `${prefix}.${name}.weight`, by }]);
  const bias = (name: string, by = 1): V | undefined =>
    biases.mlp ? build.vector([{ name: `${prefix}.${name}.bias`, by }]) : undefined;
  return {
    gate: gated ? matrix('gate_proj') : undefined,
    up: matrix('up_proj'),
    down: matrix('down_proj', scale),
    gateBias: gated ? bias('gate_proj') : undefined,
    upBias: bias('up_proj'),
    downBias: bias('down_proj', scale),
  };
}

function loadExperts<M, V>(
  build: LayerBuilder<M, V>,
  config: ModelConfig,
  prefix: string,
): ExpertWeights<M, V> {
  const matrix = (expert: number, name: string, by = 1): M =>
    build.matrix([{ name: `${prefix}.experts.${expert}.${name}.weight`, by }]);
  return {
    router: build.matrix([{ name: `${prefix}.gate.weight`, by: 1 }]),
    experts: Array.from({ length: config.experts!.count }, (_, e) => ({
      gate: matrix(e, 'gate_proj'),
      up: matrix(e, 'up_proj'),
      down: matrix(e, 'down_proj', config.residualScale),
      ...{ gateBias: undefined, upBias: undefined, downBias: undefined },
    })),
  };
}

/** A norm of the whole width. */
export function loadNorm<M, V>(
  build: LayerBuilder<M, V>,
  { norm }: ModelConfig,
  name: string,
  by = 1,
): Norm<V> {
  return {
    weight: build.vector([{ name: `${name}.weight`, by }], norm.plusOne),
    bias: norm.bias ? build.vector([{ name: `${name}.bias`, by }]) : undefined,
  };
}
