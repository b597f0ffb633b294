/** Llama 1 to 3, and what is built like it. transformers: `models/llama`. */
import { activationOf, GGUF_PERMUTED, refuseFlag, ropes } from './plain.js';
import type { Architecture } from './types.js';

export const llama: Architecture = {
  name: 'llama',
  classes: ['LlamaForCausalLM'],
  defaults: { rms_norm_eps: 1e-6, tie_word_embeddings: false },
  facts: (c, place) => {
    refuseFlag(c, 'rope_interleaved', place);
    return {
      activation: activationOf(c.hidden_act, place),
      ropes: ropes(c, place),
      biases: {
        qkv: c.attention_bias === true,
        output: c.attention_bias === true, // Llama's flag includes the output projection
        mlp: c.mlp_bias === true,
      },
    };
  },
  tensors: {},
  gguf: { name: 'llama', tensors: GGUF_PERMUTED },
};
