/**
 * config.json (and generation_config.json) of a Hugging Face checkpoint → ModelConfig.
 *
 * Decides which checkpoints the forward pass can compute exactly; everything else is refused by name rather
 * than computed wrongly. Knows nothing of weights.
 */
import * as z from 'zod';
import { UserError } from '../base/errors.js';
import { validate } from '../base/json.js';
import { checkConfig } from './config-limits.js';
import type { Architecture, ModelConfig, RopeScaling } from './types.js';

const count = z.int().positive();
const ids = z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish();
const rope = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: count.optional(),
  partial_rotary_factor: z.number().optional(),
});

const configSchema = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  num_hidden_layers: count,
  hidden_size: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count,
  vocab_size: count,
  rms_norm_eps: z.number().positive().default(1e-6),
  max_position_embeddings: count,
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  hidden_act: z.string().default('silu'),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: rope.nullish(),
  rope_parameters: rope.nullish(),
  partial_rotary_factor: z.number().nullish(),
  rope_interleaved: z.boolean().nullish(),
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.string()).nullish(),
  quantization_config: z.unknown().optional(),
  bos_token_id: z.int().nonnegative().nullish(),
  eos_token_id: ids,
});
type HfConfig = z.infer<typeof configSchema>;

const generationSchema = z.looseObject({ eos_token_id: ids });

const CAUSAL_LM: Readonly<Record<Architecture, string>> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};

/** The architecture of that name. Throws UserError naming the ones that there are. */
export function parseArchitecture(name: string, place: string): Architecture {
  if (name === 'llama' || name === 'qwen2' || name === 'qwen3') return name;
  throw new UserError(`architecture "${name}" is not supported`, {
    place,
    hint: `Supported: ${Object.keys(CAUSAL_LM).join(', ')}.`,
  });
}

/**
 * Reads both forms of the RoPE fields (`rope_theta` with `rope_scaling`, and `rope_parameters`).
 *
 * @param config parsed config.json, untrusted
 * @param generation parsed generation_config.json; its end-of-sequence ids join those of the config
 * @param place file name for errors
 */
export function parseConfig(config: unknown, generation: unknown, place: string): ModelConfig {
  const c = validate(configSchema, config, place);
  const architecture = parseArchitecture(c.model_type, place);
  refuseUnsupported(c, architecture, place);
  const g = generation === undefined ? {} : validate(generationSchema, generation, place);
  const eosIds = [c.eos_token_id, g.eos_token_id].flat().filter((id) => id !== null && id !== undefined);
  const parsed: ModelConfig = {
    architecture,
    layers: c.num_hidden_layers,
    hidden: c.hidden_size,
    heads: c.num_attention_heads,
    kvHeads: c.num_key_value_heads ?? c.num_attention_heads,
    headDim: c.head_dim ?? defaultHeadDim(c, architecture),
    intermediate: c.intermediate_size,
    vocabulary: c.vocab_size,
    normEps: c.rms_norm_eps,
    ropeTheta: c.rope_parameters?.rope_theta ?? c.rope_theta ?? 10_000,
    ropeScaling: parseRopeScaling(c.rope_parameters ?? c.rope_scaling, place),
    tiedHead: c.tie_word_embeddings,
    qkvBias: architecture === 'qwen2' || c.attention_bias === true,
    qkNorm: architecture === 'qwen3',
    maxPositions: c.max_position_embeddings,
    eosIds: [...new Set(eosIds)],
    bosId: c.bos_token_id ?? undefined,
  };
  checkConfig(parsed, place);
  return parsed;
}

/** What transformers assumes where the file is silent: 128 for Qwen3. */
function defaultHeadDim(c: HfConfig, architecture: Architecture): number {
  return architecture === 'qwen3' ? 128 : c.hidden_size / c.num_attention_heads;
}

function refuseUnsupported(c: HfConfig, architecture: Architecture, place: string): void {
  const refuse = (what: string): never => {
    throw new UserError(`${what} is not supported`, { place });
  };
  const other = c.architectures?.find((name) => name !== CAUSAL_LM[architecture]);
  if (other !== undefined) refuse(`architecture "${other}"`);
  if (c.hidden_act !== 'silu') refuse(`hidden_act "${c.hidden_act}"`);
  if (c.mlp_bias === true) refuse('mlp_bias');
  if (c.rope_interleaved === true) refuse('rope_interleaved');
  if (c.quantization_config !== undefined && c.quantization_config !== null) refuse('quantization_config');
  const rotated = c.rope_parameters?.partial_rotary_factor ?? c.partial_rotary_factor ?? 1;
  if (rotated !== 1) refuse(`partial_rotary_factor ${rotated}`);
  const layerType = c.layer_types?.find((type) => type !== 'full_attention');
  if (layerType !== undefined) refuse(`layer type "${layerType}"`);
  if (c.use_sliding_window === true) refuse('use_sliding_window');
}

function parseRopeScaling(
  scaling: z.infer<typeof rope> | null | undefined,
  place: string,
): RopeScaling | undefined {
  const type = scaling?.rope_type ?? scaling?.type ?? 'default';
  if (scaling === null || scaling === undefined || type === 'default') return undefined;
  if (type !== 'llama3') {
    throw new UserError(`rope type "${type}" is not supported`, {
      place,
      hint: 'Supported: default, llama3.',
    });
  }
  const { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } = scaling;
  if (
    factor === undefined ||
    low_freq_factor === undefined ||
    high_freq_factor === undefined ||
    original_max_position_embeddings === undefined
  ) {
    throw new UserError(
      'rope type "llama3" needs factor, low_freq_factor, high_freq_factor and original_max_position_embeddings',
      { place },
    );
  }
  return {
    kind: 'llama3',
    factor,
    lowFreqFactor: low_freq_factor,
    highFreqFactor: high_freq_factor,
    originalMaxPositions: original_max_position_embeddings,
  };
}
