/** GPT-NeoX, Pythia: attention and MLP side by side, each behind its own LayerNorm. transformers: `models/gpt_neox`. */
import { activationOf, GGUF_NAMES, LAYER_NORM_BIAS, QKV, ropes } from './plain.js';
import type { Architecture } from './types.js';

export const gptNeox: Architecture = {
  name: 'gpt_neox',
  classes: ['GPTNeoXForCausalLM'],
  defaults: {
    layer_norm_eps: 1e-5,
    tie_word_embeddings: false,
    hidden_act: 'gelu',
    use_parallel_residual: true,
    attention_bias: true,
  },
  facts: (c, place) => {
    const spelled = {
      ...c,
      partial_rotary_factor: c.rotary_pct ?? c.partial_rotary_factor,
      rope_theta: c.rope_theta ?? c.rotary_emb_base,
    };
    const bias = c.attention_bias !== false;
    return {
      norm: LAYER_NORM_BIAS,
      parallel: c.use_parallel_residual !== false,
      activation: activationOf(c.hidden_act, place),
      gated: false,
      biases: { qkv: bias, output: bias, mlp: true },
      ropes: ropes(spelled, place, { rotated: 0.25 }),
    };
  },
  tensors: {
    top: {
      'model.embed_tokens': 'gpt_neox.embed_in',
      'model.norm': 'gpt_neox.final_layer_norm',
      lm_head: 'embed_out',
    },
    block: (layer) => `gpt_neox.layers.${layer}.`,
    parts: {
      'self_attn.o_proj': 'attention.dense',
      'mlp.up_proj': 'mlp.dense_h_to_4h',
      'mlp.down_proj': 'mlp.dense_4h_to_h',
    },
    fused: { 'attention.query_key_value': QKV },
    fusedByHead: true,
    ignored: /\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/,
  },
  gguf: {
    name: 'gptneox',
    tensors: { ...GGUF_NAMES, fused: { attn_qkv: QKV } },
    config: (metadata) => ({
      hidden_act: 'gelu',
      use_parallel_residual: metadata.optionalBoolean('gptneox.use_parallel_residual') ?? true,
    }),
  },
};
