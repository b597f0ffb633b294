/**
 * config.json of models that the published tables were made with, so that plans and estimates need no file of them.
 *
 * The architecture as its makers publish it.
 */

const LLAMA_8B = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  num_hidden_layers: 32,
  hidden_size: 4096,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 14336,
  vocab_size: 128256,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
  attention_bias: false,
  hidden_act: 'silu',
  rope_theta: 500000,
  bos_token_id: 128000,
} as const;

export const LLAMA_3_8B = {
  ...LLAMA_8B,
  max_position_embeddings: 8192,
  eos_token_id: [128001, 128009],
} as const;

export const LLAMA_3_1_8B = {
  ...LLAMA_8B,
  max_position_embeddings: 131072,
  rope_scaling: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  },
  eos_token_id: [128001, 128008, 128009],
} as const;
