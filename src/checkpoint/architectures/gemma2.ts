/** Gemma 2: norms before and behind, soft caps, every other layer slides. transformers: `models/gemma2`. */
import {
  activationOf,
  GGUF_NAMES,
  refuseFlag,
  RMS,
  RMS_PLUS_ONE,
  ropes,
  SANDWICH,
  windowsByType,
} from './plain.js';
import type { Architecture } from './types.js';

/** Layers of the 27B, whose queries alone are scaled by hidden / heads in place of the head width. */
const LAYERS_27B = 46;

export const GEMMA_SANDWICH = {
  parts: {
    post_self_attn_layernorm: 'post_attention_layernorm',
    post_attention_layernorm: 'pre_feedforward_layernorm',
    post_mlp_layernorm: 'post_feedforward_layernorm',
  },
} as const;

export const gemma2: Architecture = {
  name: 'gemma2',
  classes: ['Gemma2ForCausalLM'],
  defaults: {
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
  },
  headDim: 256,
  facts: (c, place) => {
    refuseFlag(c, 'use_bidirectional_attention', place);
    return {
      norm: RMS_PLUS_ONE,
      places: SANDWICH,
      activation: activationOf(c.hidden_activation, place, 'hidden_activation'),
      ropes: ropes(c, place),
      windows: windowsByType(c, (layer) => layer % 2 === 0, place),
      embeddingScale: Math.sqrt(c.hidden_size),
      attentionScale: c.query_pre_attn_scalar! ** -0.5,
      attentionSoftCap: c.attn_logit_softcapping ?? undefined,
      logitSoftCap: c.final_logit_softcapping ?? undefined,
    };
  },
  tensors: GEMMA_SANDWICH,
  gguf: {
    name: 'gemma2',
    tensors: GGUF_NAMES,
    facts: { norm: RMS },
    config: (metadata, { layers, hidden, heads, headDim }) => ({
      query_pre_attn_scalar: layers === LAYERS_27B ? hidden / heads : headDim,
      sliding_window: metadata.optionalNumber('gemma2.attention.sliding_window') ?? 4096,
      attn_logit_softcapping: metadata.optionalNumber('gemma2.attn_logit_softcapping') ?? 50,
      final_logit_softcapping: metadata.optionalNumber('gemma2.final_logit_softcapping') ?? 30,
    }),
  },
};
