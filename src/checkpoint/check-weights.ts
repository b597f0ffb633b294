/**
 * Which tensors a model must have, and that it has no others.
 *
 * Decides by the configuration alone. A tensor that the forward pass would not use (an output bias, an
 * expert) means other numbers than the model's own, so it is an error, not a warning.
 */
import { UserError } from '../base/errors.js';
import type { ModelConfig, WeightSource } from './types.js';

/** Harmless leftovers: RoPE frequencies follow from the configuration. */
const IGNORED = /(^|\.)rotary_emb\.inv_freq$/;

/**
 * Expected tensors by Hugging Face name with their shapes, matrices as `[out, in]`.
 *
 * q `[H·D, E]`, k and v `[KV·D, E]`, o `[E, H·D]`, gate and up `[F, E]`, down `[E, F]`, embedding and head `[V, E]`.
 */
export function expectedTensors(config: ModelConfig): Map<string, readonly number[]> {
  const { hidden, intermediate, headDim, vocabulary } = config;
  const queryWidth = config.heads * headDim;
  const keyWidth = config.kvHeads * headDim;
  const tensors = new Map<string, readonly number[]>([
    ['model.embed_tokens.weight', [vocabulary, hidden]],
    ['model.norm.weight', [hidden]],
  ]);
  if (!config.tiedHead) tensors.set('lm_head.weight', [vocabulary, hidden]);
  for (let layer = 0; layer < config.layers; layer++) {
    const add = (name: string, ...shape: number[]): void => {
      tensors.set(`model.layers.${layer}.${name}`, shape);
    };
    add('input_layernorm.weight', hidden);
    add('post_attention_layernorm.weight', hidden);
    for (const [name, width] of [
      ['q', queryWidth],
      ['k', keyWidth],
      ['v', keyWidth],
    ] as const) {
      add(`self_attn.${name}_proj.weight`, width, hidden);
      if (config.qkvBias) add(`self_attn.${name}_proj.bias`, width);
    }
    add('self_attn.o_proj.weight', hidden, queryWidth);
    if (config.qkNorm) {
      add('self_attn.q_norm.weight', headDim);
      add('self_attn.k_norm.weight', headDim);
    }
    add('mlp.gate_proj.weight', intermediate, hidden);
    add('mlp.up_proj.weight', intermediate, hidden);
    add('mlp.down_proj.weight', hidden, intermediate);
  }
  return tensors;
}

/** Throws UserError (place = the weights) on a tensor that is missing, has another shape, or is unknown. */
export function checkWeights(config: ModelConfig, weights: WeightSource, place: string): void {
  const expected = expectedTensors(config);
  const present = new Set(weights.names);
  for (const [name, shape] of expected) {
    if (!present.has(name)) throw new UserError(`has no tensor "${name}"`, { place });
    const found = weights.shape(name);
    if (found.length !== shape.length || found.some((n, i) => n !== shape[i])) {
      throw new UserError(
        `tensor "${name}": the configuration expects [${shape.join(', ')}], found [${found.join(', ')}]`,
        { place },
      );
    }
  }
  for (const name of weights.names) {
    const redundant = IGNORED.test(name) || (config.tiedHead && name === 'lm_head.weight');
    if (!expected.has(name) && !redundant) {
      throw new UserError(
        `tensor "${name}" is not part of a ${config.architecture} model as it is computed here`,
        {
          place,
        },
      );
    }
  }
}
