/**
 * Mistral 7B, Nemo, Small: a Llama whose first release sees a window in every layer. transformers: `models/mistral`.
 *
 * Its GGUF files are written as those of `llama`, without a window.
 */
import { activationOf, everyLayer, ropes, windowOf } from './plain.js';
import type { Architecture } from './types.js';

export const mistral: Architecture = {
  name: 'mistral',
  classes: ['MistralForCausalLM'],
  // null means none, but a config.json without the key means 4096
  defaults: { rms_norm_eps: 1e-6, tie_word_embeddings: false, num_key_value_heads: 8, sliding_window: 4096 },
  facts: (c, place) => ({
    activation: activationOf(c.hidden_act, place),
    ropes: ropes(c, place),
    windows: everyLayer(c, windowOf(c)),
  }),
  tensors: {},
};
