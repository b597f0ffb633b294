/**
 * config.json (and generation_config.json) of a Hugging Face checkpoint → ModelConfig.
 *
 * The architecture's description says which fields count; what the forward pass cannot compute exactly is refused by name
 * rather than computed wrongly.
 */
import * as z from 'zod';
import { UserError } from '../base/errors.js';
import { validate } from '../base/json.js';
import { architectureOf, WITH_IMAGES } from './architectures/index.js';
import { plainFacts } from './architectures/plain.js';
import type { Architecture } from './architectures/types.js';
import { checkConfig } from './config-limits.js';
import { configSchema, generationSchema, type HfConfig } from './hf-config.js';
import type { BlockFacts, ModelConfig } from './types.js';

const typeSchema = z.looseObject({ model_type: z.string() });
const imagesSchema = z.looseObject({ text_config: z.record(z.string(), z.unknown()) });

/** The architecture that a parsed config.json names. */
export function architectureOfConfig(config: unknown, place: string): Architecture {
  return architectureOf(validate(typeSchema, config, place).model_type, place);
}

/**
 * Reads the spellings of transformers 4 and 5.
 *
 * @param config parsed config.json, untrusted
 * @param generation parsed generation_config.json; its end-of-sequence ids join those of the config
 * @param place file name for errors
 */
export function parseConfig(config: unknown, generation: unknown, place: string): ModelConfig {
  // before all else: the fields of an architecture that is not known here would look like a damaged file
  const architecture = architectureOfConfig(config, place);
  const c = completed(textFields(config, place), architecture, place);
  refuseUnsupported(c, architecture, place);
  const g = generation === undefined ? {} : validate(generationSchema, generation, place);
  const eosIds = [c.eos_token_id, g.eos_token_id].flat().filter((id) => id !== null && id !== undefined);
  return modelConfig(c, architecture, { eosIds: [...new Set(eosIds)] }, place);
}

/**
 * The configuration of completed fields.
 *
 * @param changes what is known otherwise
 */
export function modelConfig(
  c: HfConfig,
  architecture: Architecture,
  { eosIds, ...changes }: { readonly eosIds: readonly number[] } & Partial<BlockFacts>,
  place: string,
): ModelConfig {
  const facts = architecture.facts(c, place);
  const layered = { ...plainFacts(c), ...facts } as BlockFacts;
  const parsed: ModelConfig = {
    architecture: architecture.name,
    layers: c.num_hidden_layers,
    hidden: c.hidden_size,
    heads: c.num_attention_heads,
    kvHeads: c.num_key_value_heads ?? c.num_attention_heads,
    headDim: c.head_dim ?? NaN,
    intermediate: c.intermediate_size,
    vocabulary: c.vocab_size,
    normEps: (layered.norm.kind === 'rms' ? c.rms_norm_eps : (c.layer_norm_eps ?? c.norm_epsilon)) ?? NaN,
    tiedHead: c.tie_word_embeddings === true,
    maxPositions: c.max_position_embeddings,
    bosId: c.bos_token_id ?? undefined,
    ...layered,
    ...changes,
    eosIds,
  };
  checkConfig(parsed, place);
  refuseOtherLayers(c, parsed, place);
  return parsed;
}

/** The fields, checked, with what transformers fills in. */
export function completed(fields: object, architecture: Architecture, place: string): HfConfig {
  const c = validate(configSchema, { ...architecture.defaults, ...fields }, place);
  return { ...c, head_dim: c.head_dim ?? architecture.headDim ?? c.hidden_size / c.num_attention_heads };
}

/** A checkpoint with images has the fields of its text model in `text_config`, and says beside it what holds for both. */
function textFields(config: unknown, place: string): object {
  const outer = validate(typeSchema, config, place);
  if (!WITH_IMAGES.has(outer.model_type)) return outer;
  const { text_config } = validate(imagesSchema, config, place);
  const { architectures, quantization_config, bos_token_id, eos_token_id } = outer as Partial<HfConfig>;
  const shared = { architectures, quantization_config, bos_token_id, eos_token_id };
  const said = Object.entries(shared).filter(([, value]) => value !== undefined && value !== null);
  return { ...text_config, model_type: outer.model_type, ...Object.fromEntries(said) };
}

const QUANTISED_HINT =
  'Use the original checkpoint (BF16, F16 or F32), or a GGUF file of the model, which may be quantised.';

function refuseUnsupported(c: HfConfig, { name, classes }: Architecture, place: string): void {
  const other = c.architectures?.find((one) => !classes.includes(one));
  if (other !== undefined) {
    throw new UserError(`architecture "${other}" is not supported`, {
      place,
      hint: `Supported of model_type "${name}": ${classes.join(', ')}.`,
    });
  }
  if (c.quantization_config !== undefined && c.quantization_config !== null) {
    const { quant_method: method } = c.quantization_config as { quant_method?: unknown };
    const named = typeof method === 'string' ? ` by ${method}` : '';
    throw new UserError(`quantization_config: weights quantised${named} are not supported`, {
      place,
      hint: QUANTISED_HINT,
    });
  }
}

/** Layer types that the architecture does not look at would be computed as full attention. */
function refuseOtherLayers(c: HfConfig, { windows }: ModelConfig, place: string): void {
  for (const [layer, type] of (c.layer_types ?? []).entries()) {
    const computed = windows[layer] === undefined ? 'full_attention' : 'sliding_attention';
    if (type !== computed) {
      throw new UserError(
        `layer type "${type}" of layer ${layer} is not supported: it is computed as ${computed}`,
        {
          place,
        },
      );
    }
  }
}
