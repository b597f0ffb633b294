/** Command R: attention and MLP side by side behind one LayerNorm, interleaved RoPE. transformers: `models/cohere`. */
import { activationOf, GGUF_NAMES, LAYER_NORM, ONE_BEFORE_BOTH, refuseFlag, ropes } from './plain.js';
import type { Architecture } from './types.js';

export const cohere: Architecture = {
  name: 'cohere',
  classes: ['CohereForCausalLM'],
  defaults: { layer_norm_eps: 1e-5, tie_word_embeddings: true, logit_scale: 0.0625 },
  facts: (c, place) => {
    refuseFlag(c, 'use_qk_norm', place);
    return {
      norm: LAYER_NORM,
      places: ONE_BEFORE_BOTH,
      parallel: true,
      activation: activationOf(c.hidden_act, place),
      ropes: ropes(c, place, { theta: 500_000, pairing: 'interleaved' }),
      biases: { qkv: c.attention_bias === true, output: c.attention_bias === true, mlp: false },
      logitScale: c.logit_scale!,
    };
  },
  tensors: {},
  gguf: {
    name: 'command-r',
    tensors: GGUF_NAMES,
    config: (metadata) => ({ logit_scale: metadata.number('command-r.logit_scale') }),
  },
};
