/** Qwen3 with experts in place of the MLP, in all layers or some. transformers: `models/qwen3_moe`. */
import { UserError } from '../../base/errors.js';
import { everyLayer, GGUF_NAMES, windowOf } from './plain.js';
import { qwen3 } from './qwen3.js';
import type { Architecture } from './types.js';

export const qwen3Moe: Architecture = {
  ...qwen3,
  name: 'qwen3_moe',
  classes: ['Qwen3MoeForCausalLM'],
  defaults: { ...qwen3.defaults, norm_topk_prob: false, decoder_sparse_step: 1 },
  facts: (c, place) => {
    const count = c.num_experts ?? c.num_local_experts;
    const perToken = c.num_experts_per_tok;
    const width = c.moe_intermediate_size;
    if (!count || !perToken || !width || perToken > count) {
      throw new UserError(
        'expected num_experts, num_experts_per_tok (at most as many) and moe_intermediate_size',
        { place },
      );
    }
    const step = c.decoder_sparse_step ?? 1;
    return {
      ...qwen3.facts(c, place),
      // all layers or none, whatever max_window_layers says
      windows: everyLayer(c, c.use_sliding_window === true ? windowOf(c) : undefined),
      experts: {
        count,
        perToken,
        width,
        normalised: c.norm_topk_prob === true,
        layers: Array.from(
          { length: c.num_hidden_layers },
          (_, i) => c.mlp_only_layers?.includes(i) !== true && (i + 1) % step === 0,
        ),
      },
    };
  },
  gguf: {
    name: 'qwen3moe',
    tensors: GGUF_NAMES,
    // llama.cpp computes every file of this architecture so; a dense layer has no experts' tensors
    config: (metadata, { layers, tensors }) => ({
      num_experts: metadata.number('qwen3moe.expert_count'),
      num_experts_per_tok: metadata.number('qwen3moe.expert_used_count'),
      moe_intermediate_size: metadata.number('qwen3moe.expert_feed_forward_length'),
      norm_topk_prob: true,
      mlp_only_layers: Array.from({ length: layers }, (_, i) => i).filter(
        (i) => !tensors.has(`blk.${i}.ffn_gate_inp.weight`),
      ),
    }),
  },
};
