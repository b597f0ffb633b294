/** StableLM 2: LayerNorm with biases, a quarter of the head rotated. transformers: `models/stablelm`. */
import { activationOf, GGUF_NAMES, LAYER_NORM_BIAS, NO_BIASES, refuseFlag, ropes } from './plain.js';
import type { Architecture } from './types.js';

export const stablelm: Architecture = {
  name: 'stablelm',
  classes: ['StableLmForCausalLM'],
  defaults: { layer_norm_eps: 1e-5, tie_word_embeddings: false },
  facts: (c, place) => {
    refuseFlag(c, 'qk_layernorm', place);
    refuseFlag(c, 'use_parallel_residual', place);
    return {
      norm: LAYER_NORM_BIAS,
      activation: activationOf(c.hidden_act, place),
      ropes: ropes(c, place, { rotated: 0.25 }),
      biases: { ...NO_BIASES, qkv: c.use_qkv_bias === true },
    };
  },
  tensors: {},
  gguf: { name: 'stablelm', tensors: GGUF_NAMES },
};
