/** OLMo 2: norms behind attention and MLP, and over all query and key heads at once. transformers: `models/olmo2`. */
import { activationOf, GGUF_NAMES, POST, ropes } from './plain.js';
import type { Architecture } from './types.js';

export const olmo2: Architecture = {
  name: 'olmo2',
  classes: ['Olmo2ForCausalLM'],
  defaults: { rms_norm_eps: 1e-5, tie_word_embeddings: false },
  facts: (c, place) => ({
    places: POST,
    headNorm: 'whole',
    activation: activationOf(c.hidden_act, place),
    ropes: ropes(c, place),
    biases: { qkv: c.attention_bias === true, output: c.attention_bias === true, mlp: false },
  }),
  tensors: {
    parts: {
      post_self_attn_layernorm: 'post_attention_layernorm',
      post_mlp_layernorm: 'post_feedforward_layernorm',
    },
  },
  gguf: { name: 'olmo2', tensors: GGUF_NAMES },
};
