/**
 * The fields of config.json that are read, as transformers 4 and 5 spell them.
 *
 * One schema for all architectures: a field that an architecture does not have is simply not looked at there.
 */
import * as z from 'zod';

const count = z.int().positive();
const positive = z.number().positive();
const ids = z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish();

/** One block of RoPE fields: `rope_scaling`, `rope_parameters`, or what the latter holds for one type of layer. */
export const ropeSchema = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: positive.nullish(),
  partial_rotary_factor: positive.max(1).nullish(),
  factor: positive.nullish(),
  low_freq_factor: positive.nullish(),
  high_freq_factor: positive.nullish(),
  original_max_position_embeddings: count.nullish(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  truncate: z.boolean().nullish(),
  attention_factor: positive.nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  short_factor: z.array(positive).max(4096).nullish(),
  long_factor: z.array(positive).max(4096).nullish(),
});
export type RopeFields = z.infer<typeof ropeSchema>;

export const LAYER_TYPES = ['full_attention', 'sliding_attention'] as const;
/** `rope_parameters` of an architecture whose layer types rotate differently. */
const nestedRope = z.strictObject({
  full_attention: ropeSchema.nullish(),
  sliding_attention: ropeSchema.nullish(),
});

export const configSchema = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  num_hidden_layers: count.max(1024),
  hidden_size: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count,
  vocab_size: count,
  max_position_embeddings: count,
  rms_norm_eps: positive.nullish(),
  layer_norm_eps: positive.nullish(),
  norm_epsilon: positive.nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().nullish(),
  use_qkv_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  use_bias: z.boolean().nullish(),
  hidden_act: z.string().nullish(),
  hidden_activation: z.string().nullish(),
  rope_theta: positive.nullish(),
  rotary_emb_base: positive.nullish(),
  rope_local_base_freq: positive.nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: z.union([nestedRope, ropeSchema]).nullish(),
  original_max_position_embeddings: count.nullish(),
  partial_rotary_factor: positive.max(1).nullish(),
  rotary_pct: positive.max(1).nullish(),
  rope_interleaved: z.boolean().nullish(),
  sliding_window: z.int().nonnegative().nullish(),
  use_sliding_window: z.boolean().nullish(),
  max_window_layers: z.int().nonnegative().nullish(),
  sliding_window_pattern: count.nullish(),
  layer_types: z.array(z.string()).nullish(),
  no_rope_layers: z.array(z.union([z.literal(0), z.literal(1)])).nullish(),
  no_rope_layer_interval: count.nullish(),
  query_pre_attn_scalar: positive.nullish(),
  attn_logit_softcapping: positive.nullish(),
  final_logit_softcapping: positive.nullish(),
  use_bidirectional_attention: z.boolean().nullish(),
  embedding_multiplier: positive.nullish(),
  residual_multiplier: positive.nullish(),
  attention_multiplier: positive.nullish(),
  logits_scaling: positive.nullish(),
  logit_scale: positive.nullish(),
  use_qk_norm: z.boolean().nullish(),
  qk_layernorm: z.boolean().nullish(),
  use_parallel_residual: z.boolean().nullish(),
  num_experts: count.max(65_536).nullish(),
  num_local_experts: count.max(65_536).nullish(),
  num_experts_per_tok: count.nullish(),
  moe_intermediate_size: count.nullish(),
  norm_topk_prob: z.boolean().nullish(),
  mlp_only_layers: z.array(z.int().nonnegative()).nullish(),
  decoder_sparse_step: count.nullish(),
  quantization_config: z.unknown().optional(),
  bos_token_id: z.int().nonnegative().nullish(),
  eos_token_id: ids,
});
/** A checked config.json, what transformers fills in filled in. */
export type HfConfig = z.infer<typeof configSchema>;

export const generationSchema = z.looseObject({ eos_token_id: ids });
