/** Qwen2 and Qwen2.5: biases on queries, keys and values. transformers: `models/qwen2`. */
import type { HfConfig } from '../hf-config.js';
import { activationOf, GGUF_NAMES, NO_BIASES, ropes, windowsByType } from './plain.js';
import type { Architecture } from './types.js';

/** Layers from `max_window_layers` on slide, where `use_sliding_window` says so; releases have it off. */
export function qwenWindows(c: HfConfig, place: string): readonly (number | undefined)[] {
  const from = c.use_sliding_window === true ? (c.max_window_layers ?? 28) : Infinity;
  const ignored = c.use_sliding_window === true ? {} : { sliding_window: null };
  return windowsByType({ ...c, ...ignored }, (layer) => layer >= from, place);
}

export const qwen2: Architecture = {
  name: 'qwen2',
  classes: ['Qwen2ForCausalLM'],
  defaults: { rms_norm_eps: 1e-6, tie_word_embeddings: false },
  facts: (c, place) => ({
    activation: activationOf(c.hidden_act, place),
    ropes: ropes(c, place),
    biases: { ...NO_BIASES, qkv: true },
    windows: qwenWindows(c, place),
  }),
  tensors: {},
  gguf: { name: 'qwen2', tensors: GGUF_NAMES },
};
