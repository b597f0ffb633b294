/**
 * Which tensors a model must have, and that it has no others.
 *
 * A tensor that the forward pass would not use (an output bias, an expert) means other numbers than the model's own, so it is
 * an error, not a warning.
 */
import { UserError } from '../base/errors.js';
import type { ModelConfig, WeightSource } from './types.js';

/** Harmless leftovers: RoPE frequencies follow from the configuration. */
const IGNORED = /(^|\.)rotary_emb\.inv_freq$/;

const HEAD = 'lm_head.weight';

/**
 * Expected tensors by name (see `tensor-layout.ts`) with their shapes, matrices as `[out, in]`.
 *
 * q `[H·D, E]`, k and v `[KV·D, E]`, o `[E, H·D]`, gate and up `[F, E]`, down `[E, F]`, embedding and head `[V, E]`.
 */
export function expectedTensors(config: ModelConfig): Map<string, readonly number[]> {
  const { hidden, vocabulary, norm, tiedHead } = config;
  const tensors = new Map<string, readonly number[]>([['model.embed_tokens.weight', [vocabulary, hidden]]]);
  addNorm(tensors, 'model.norm', hidden, norm.bias);
  if (!tiedHead) tensors.set(HEAD, [vocabulary, hidden]);
  for (let layer = 0; layer < config.layers; layer++) addLayer(tensors, config, layer);
  return tensors;
}

/** The same, and those that a file may have beside them. */
export function possibleTensors(config: ModelConfig): Map<string, readonly number[]> {
  return expectedTensors(config).set(HEAD, [config.vocabulary, config.hidden]);
}

type Tensors = Map<string, readonly number[]>;

function addNorm(tensors: Tensors, name: string, width: number, bias: boolean): void {
  tensors.set(`${name}.weight`, [width]);
  if (bias) tensors.set(`${name}.bias`, [width]);
}

function addLayer(tensors: Tensors, config: ModelConfig, layer: number): void {
  const { hidden, headDim, places, norm, biases, headNorm, experts } = config;
  const queryWidth = config.heads * headDim;
  const keyWidth = config.kvHeads * headDim;
  const prefix = `model.layers.${layer}`;
  const addNorms = (there: boolean, name: string): void => {
    if (there) addNorm(tensors, `${prefix}.${name}`, hidden, norm.bias);
  };
  const addMatrix = (name: string, out: number, into: number, bias: boolean): void => {
    tensors.set(`${prefix}.${name}.weight`, [out, into]);
    if (bias) tensors.set(`${prefix}.${name}.bias`, [out]);
  };
  addNorms(places.attentionIn, 'input_layernorm');
  addMatrix('self_attn.q_proj', queryWidth, hidden, biases.qkv);
  addMatrix('self_attn.k_proj', keyWidth, hidden, biases.qkv);
  addMatrix('self_attn.v_proj', keyWidth, hidden, biases.qkv);
  addMatrix('self_attn.o_proj', hidden, queryWidth, biases.output);
  if (headNorm !== 'none') {
    tensors.set(`${prefix}.self_attn.q_norm.weight`, [headNorm === 'head' ? headDim : queryWidth]);
    tensors.set(`${prefix}.self_attn.k_norm.weight`, [headNorm === 'head' ? headDim : keyWidth]);
  }
  addNorms(places.attentionOut, 'post_self_attn_layernorm');
  addNorms(places.mlpIn, 'post_attention_layernorm');
  addNorms(places.mlpOut, 'post_mlp_layernorm');
  const addMlp = (name: string, width: number): void => {
    if (config.gated) addMatrix(`${name}.gate_proj`, width, hidden, biases.mlp);
    addMatrix(`${name}.up_proj`, width, hidden, biases.mlp);
    addMatrix(`${name}.down_proj`, hidden, width, biases.mlp);
  };
  if (experts?.layers[layer] !== true) {
    addMlp('mlp', config.intermediate);
    return;
  }
  addMatrix('mlp.gate', experts.count, hidden, false);
  for (let e = 0; e < experts.count; e++) addMlp(`mlp.experts.${e}`, experts.width);
}

/** Throws UserError (place = the weights) on a tensor that is missing, has another shape, or is unknown. */
export function checkWeights(config: ModelConfig, weights: WeightSource, place: string): void {
  const expected = expectedTensors(config);
  const present = new Set(weights.names);
  const inFile = (name: string): string => weights.nameInFile?.(name) ?? name;
  for (const [name, shape] of expected) {
    if (!present.has(name)) throw new UserError(`has no tensor "${inFile(name)}"`, { place });
    const found = weights.shape(name);
    if (found.length !== shape.length || found.some((n, i) => n !== shape[i])) {
      throw new UserError(
        `tensor "${inFile(name)}": the configuration expects [${shape.join(', ')}], found [${found.join(', ')}]`,
        { place },
      );
    }
  }
  for (const name of weights.names) {
    const redundant = IGNORED.test(name) || (config.tiedHead && name === HEAD);
    if (!expected.has(name) && !redundant) {
      throw new UserError(
        `tensor "${inFile(name)}" is not part of a ${config.architecture} model as it is computed here`,
        { place },
      );
    }
  }
}
