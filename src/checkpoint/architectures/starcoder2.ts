/** StarCoder2: LayerNorm, biases everywhere, an MLP without a gate. transformers: `models/starcoder2`. */
import { activationOf, everyLayer, GGUF_NAMES, LAYER_NORM_BIAS, ropes, windowOf } from './plain.js';
import type { Architecture } from './types.js';

export const starcoder2: Architecture = {
  name: 'starcoder2',
  classes: ['Starcoder2ForCausalLM'],
  defaults: {
    norm_epsilon: 1e-5,
    tie_word_embeddings: true,
    hidden_act: 'gelu_pytorch_tanh',
    use_bias: true,
    num_key_value_heads: 2,
  },
  facts: (c, place) => {
    const bias = c.use_bias === true;
    return {
      norm: LAYER_NORM_BIAS,
      activation: activationOf(c.hidden_act, place),
      gated: false,
      biases: { qkv: bias, output: bias, mlp: bias },
      ropes: ropes(c, place),
      windows: everyLayer(c, windowOf(c)),
    };
  },
  tensors: { parts: { 'mlp.up_proj': 'mlp.c_fc', 'mlp.down_proj': 'mlp.c_proj' } },
  gguf: {
    name: 'starcoder2',
    tensors: GGUF_NAMES,
    // the converter writes no window
    config: () => ({ hidden_act: 'gelu_pytorch_tanh', sliding_window: null }),
  },
};
