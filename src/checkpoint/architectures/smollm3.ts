/** SmolLM3: a Llama in which one layer in four does not rotate queries and keys. transformers: `models/smollm3`. */
import { UserError } from '../../base/errors.js';
import { parseRope } from '../rope-config.js';
import { activationOf, GGUF_PERMUTED, headWidth, refuseFlag } from './plain.js';
import type { Architecture } from './types.js';

export const smollm3: Architecture = {
  name: 'smollm3',
  classes: ['SmolLM3ForCausalLM'],
  defaults: { rms_norm_eps: 1e-6, tie_word_embeddings: true, no_rope_layer_interval: 4 },
  facts: (c, place) => {
    refuseFlag(c, 'use_sliding_window', place);
    const rope = parseRope(c, { headDim: headWidth(c), theta: 2_000_000 }, place);
    const rotates = c.no_rope_layers; // 1: this layer rotates
    if (rotates !== null && rotates !== undefined && rotates.length !== c.num_hidden_layers) {
      throw new UserError(
        `no_rope_layers: expected one number for each of ${c.num_hidden_layers} layers, got ${rotates.length}`,
        { place },
      );
    }
    return {
      activation: activationOf(c.hidden_act, place),
      biases: {
        qkv: c.attention_bias === true,
        output: c.attention_bias === true,
        mlp: c.mlp_bias === true,
      },
      ropes: Array.from({ length: c.num_hidden_layers }, (_, i) =>
        (rotates?.[i] ?? Number((i + 1) % c.no_rope_layer_interval! !== 0)) === 1 ? rope : undefined,
      ),
    };
  },
  tensors: {},
  // rows of layers that do not rotate are permuted too; the interval is a constant of llama.cpp
  gguf: { name: 'smollm3', tensors: GGUF_PERMUTED, config: () => ({ no_rope_layer_interval: 4 }) },
};
