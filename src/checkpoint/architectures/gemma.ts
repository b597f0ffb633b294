/** Gemma 1: scaled embeddings, norms with 1 + w, GELU, one or few KV heads of their own width. transformers: `models/gemma`. */
import { activationOf, GGUF_NAMES, RMS, RMS_PLUS_ONE, ropes } from './plain.js';
import type { Architecture } from './types.js';

export const gemma: Architecture = {
  name: 'gemma',
  classes: ['GemmaForCausalLM'],
  defaults: { rms_norm_eps: 1e-6, tie_word_embeddings: true },
  headDim: 256,
  facts: (c, place) => {
    // Released files say "gelu" and mean the tanh form, which transformers 4 took where hidden_activation is null.
    const named = c.hidden_activation ?? (c.hidden_act === 'gelu' ? undefined : c.hidden_act);
    return {
      norm: RMS_PLUS_ONE,
      activation: activationOf(named ?? 'gelu_pytorch_tanh', place),
      ropes: ropes(c, place),
      embeddingScale: Math.sqrt(c.hidden_size),
    };
  },
  tensors: {},
  // the converter adds the 1
  gguf: { name: 'gemma', tensors: GGUF_NAMES, facts: { norm: RMS } },
};
