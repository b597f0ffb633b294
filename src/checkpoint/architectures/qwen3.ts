/** Qwen3: RMS norms on query and key heads. transformers: `models/qwen3`. */
import { activationOf, GGUF_NAMES, ropes } from './plain.js';
import { qwenWindows } from './qwen2.js';
import type { Architecture } from './types.js';

export const qwen3: Architecture = {
  name: 'qwen3',
  classes: ['Qwen3ForCausalLM'],
  defaults: { rms_norm_eps: 1e-6, tie_word_embeddings: false },
  headDim: 128,
  facts: (c, place) => ({
    activation: activationOf(c.hidden_act, place),
    ropes: ropes(c, place),
    headNorm: 'head',
    biases: {
      qkv: c.attention_bias === true,
      output: c.attention_bias === true,
      mlp: false,
    },
    windows: qwenWindows(c, place),
  }),
  tensors: {},
  gguf: { name: 'qwen3', tensors: GGUF_NAMES },
};
