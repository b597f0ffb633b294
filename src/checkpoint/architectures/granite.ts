/** Granite 3: a Llama with four multipliers. transformers: `models/granite`. */
import { activationOf, GGUF_PERMUTED } from './plain.js';
import { llama } from './llama.js';
import type { Architecture } from './types.js';

export const granite: Architecture = {
  ...llama,
  name: 'granite',
  classes: ['GraniteForCausalLM'],
  defaults: {
    rms_norm_eps: 1e-6,
    tie_word_embeddings: false,
    embedding_multiplier: 1,
    residual_multiplier: 1,
    attention_multiplier: 1,
    logits_scaling: 1,
  },
  facts: (c, place) => ({
    ...llama.facts(c, place),
    activation: activationOf(c.hidden_act, place),
    embeddingScale: c.embedding_multiplier!,
    residualScale: c.residual_multiplier!,
    attentionScale: c.attention_multiplier!, // in place of 1/√D
    logitScale: 1 / c.logits_scaling!,
  }),
  gguf: {
    name: 'granite',
    tensors: GGUF_PERMUTED,
    config: (metadata, { headDim }) => ({
      embedding_multiplier: metadata.optionalNumber('granite.embedding_scale') ?? 1,
      residual_multiplier: metadata.optionalNumber('granite.residual_scale') ?? 1,
      attention_multiplier: metadata.optionalNumber('granite.attention.scale') ?? headDim ** -0.5,
      logits_scaling: metadata.optionalNumber('granite.logit_scale') ?? 1,
    }),
  },
};
