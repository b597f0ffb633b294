/** GLM-4 (0414): four norms, fused gate and up, half of the head rotated, interleaved. transformers: `models/glm4`. */
import { activationOf, GATE_UP, GGUF_NAMES, NO_BIASES, ropes, SANDWICH } from './plain.js';
import type { Architecture } from './types.js';

export const glm4: Architecture = {
  name: 'glm4',
  classes: ['Glm4ForCausalLM'],
  defaults: { rms_norm_eps: 1.5625e-7, tie_word_embeddings: false },
  headDim: 128,
  facts: (c, place) => ({
    places: SANDWICH,
    activation: activationOf(c.hidden_act, place),
    ropes: ropes(c, place, { pairing: 'interleaved', rotated: 0.5 }),
    biases: { ...NO_BIASES, qkv: c.attention_bias === true },
  }),
  tensors: { fused: { 'mlp.gate_up_proj': GATE_UP } },
  gguf: { name: 'glm4', tensors: { ...GGUF_NAMES, fused: { ffn_up: GATE_UP } } },
};
