/** Phi-3, Phi-3.5, Phi-4, Phi-4-mini: fused projections, LongRoPE, a part of the head rotated. transformers: `models/phi3`. */
import { activationOf, everyLayer, GATE_UP, GGUF_NAMES, QKV, ropes, windowOf } from './plain.js';
import type { Architecture } from './types.js';

export const phi3: Architecture = {
  name: 'phi3',
  classes: ['Phi3ForCausalLM'],
  defaults: { rms_norm_eps: 1e-5, tie_word_embeddings: false },
  facts: (c, place) => ({
    activation: activationOf(c.hidden_act, place),
    ropes: ropes(c, place),
    windows: everyLayer(c, windowOf(c)),
  }),
  tensors: { fused: { 'self_attn.qkv_proj': QKV, 'mlp.gate_up_proj': GATE_UP } },
  gguf: {
    name: 'phi3',
    tensors: { ...GGUF_NAMES, fused: { attn_qkv: QKV, ffn_up: GATE_UP } },
    config: (metadata) => ({
      sliding_window: metadata.optionalNumber('phi3.attention.sliding_window') ?? null,
    }),
  },
};
