/**
 * GGUF metadata → the fields of config.json that say the same → ModelConfig.
 *
 * So one description of an architecture serves both formats. Llama-3 RoPE scaling, which a GGUF holds only as one divisor per
 * frequency, is recognised by recomputing those divisors.
 */
import { ggufArchitectureOf } from '../architectures/index.js';
import type { Architecture, GgufArchitecture } from '../architectures/types.js';
import { completed, modelConfig } from '../config.js';
import { ropeFrequencies } from '../rope-frequencies.js';
import type { BlockFacts, ModelConfig, Rope, RopeScaling } from '../types.js';
import type { GgufFile } from './file.js';
import type { GgufMetadata } from './metadata.js';

/** The architecture that a file names. Throws UserError (place = the file) on one that is not computed here. */
export function ggufArchitecture({
  metadata,
}: Pick<GgufFile, 'metadata'>): Architecture & { readonly gguf: GgufArchitecture } {
  return ggufArchitectureOf(metadata.string('general.architecture'), metadata.place);
}

/** Reads the configuration. Throws UserError (place = the file) on anything that is missing or unsupported. */
export function ggufConfig(file: GgufFile): ModelConfig {
  const { metadata, tensors } = file;
  refuseParts(metadata);
  const architecture = ggufArchitecture(file);
  const { gguf } = architecture;
  const key = (name: string): string => `${gguf.name}.${name}`;
  const names = new Set(tensors.names);
  if (!names.has('token_embd.weight')) throw metadata.fault('has no tensor "token_embd.weight"');
  refuseUnsupported(metadata, key, architecture);
  const heads = metadata.uniformSize(key('attention.head_count'));
  const hidden = metadata.size(key('embedding_length'));
  const layers = metadata.size(key('block_count'));
  const headDim = metadata.optionalNumber(key('attention.key_length')) ?? hidden / heads;
  const epsilon =
    metadata.optionalNumber(key('attention.layer_norm_rms_epsilon')) ??
    metadata.number(key('attention.layer_norm_epsilon'));
  const fields = {
    model_type: architecture.name,
    num_hidden_layers: layers,
    hidden_size: hidden,
    num_attention_heads: heads,
    num_key_value_heads: metadata.has(key('attention.head_count_kv'))
      ? metadata.uniformSize(key('attention.head_count_kv'))
      : heads,
    head_dim: headDim,
    intermediate_size: metadata.uniformSize(key('feed_forward_length')),
    vocab_size: tensors.shape('token_embd.weight')[0] ?? 0,
    max_position_embeddings: metadata.size(key('context_length')),
    ...{ rms_norm_eps: epsilon, layer_norm_eps: epsilon, norm_epsilon: epsilon },
    tie_word_embeddings: !names.has('output.weight'),
    partial_rotary_factor: rotatedWidth(metadata, key, headDim) / headDim,
    rope_theta: metadata.optionalNumber(key('rope.freq_base')) ?? 10_000,
    rope_scaling: scalingFields(file, key),
    bos_token_id: metadata.optionalNumber('tokenizer.ggml.bos_token_id'),
    ...gguf.config?.(metadata, { layers, hidden, heads, headDim, tensors: names }),
  };
  const c = completed(fields, architecture, metadata.place);
  const config = modelConfig(
    c,
    architecture,
    { ...gguf.facts, biases: biasesOf(names), eosIds: endIds(metadata) },
    metadata.place,
  );
  refuseWindow(metadata, key, config);
  if (!names.has('rope_freqs.weight')) return config;
  const scaling = recogniseScaling(tensors.read('rope_freqs.weight'), config, metadata);
  const scaled = new Map<Rope | undefined, Rope | undefined>();
  const withScaling = (rope: Rope | undefined): Rope | undefined => {
    if (!scaled.has(rope)) scaled.set(rope, rope === undefined ? undefined : { ...rope, scaling });
    return scaled.get(rope);
  };
  return { ...config, ropes: config.ropes.map(withScaling) };
}

function endIds(metadata: GgufMetadata): number[] {
  const ids = ['eos', 'eot', 'eom'].map((name) => metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`));
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** Files hold the biases that the model has; no key says so. */
function biasesOf(names: ReadonlySet<string>): BlockFacts['biases'] {
  return {
    qkv: names.has('blk.0.attn_q.bias') || names.has('blk.0.attn_qkv.bias'),
    output: names.has('blk.0.attn_output.bias'),
    mlp: names.has('blk.0.ffn_down.bias'),
  };
}

function refuseParts(metadata: GgufMetadata): void {
  const count = metadata.optionalNumber('split.count') ?? 1;
  if (count <= 1) return;
  throw metadata.fault(
    `is part ${(metadata.optionalNumber('split.no') ?? 0) + 1} of ${count}`,
    'Join the parts into one file: llama-gguf-split --merge PART-1 JOINED.gguf.',
  );
}

function refuseUnsupported(
  metadata: GgufMetadata,
  key: (name: string) => string,
  { name }: Architecture,
): void {
  const experts = metadata.optionalNumber(key('expert_count')) ?? 0;
  if (experts > 0 && name !== 'qwen3_moe')
    throw metadata.fault(`mixtures of experts are not supported in ${name} (${experts} experts)`);
  if (metadata.optionalBoolean(key('attention.causal')) === false)
    throw metadata.fault(`${key('attention.causal')} is false: only causal attention is computed`);
}

/** A window that the architecture's description does not look at would be left out, unsaid. */
function refuseWindow(metadata: GgufMetadata, key: (name: string) => string, { windows }: ModelConfig): void {
  const window = metadata.optionalNumber(key('attention.sliding_window')) ?? 0;
  if (window > 0 && windows.every((w) => w === undefined))
    throw metadata.fault(`sliding windows are not supported in files of this architecture (${window})`);
}

/** Channels that rotate; values must be as wide as keys. */
function rotatedWidth(metadata: GgufMetadata, key: (name: string) => string, headDim: number): number {
  const valueWidth = metadata.optionalNumber(key('attention.value_length')) ?? headDim;
  if (valueWidth !== headDim)
    throw metadata.fault(
      `${key('attention.value_length')}: expected the head width ${headDim}, got ${valueWidth}`,
    );
  const width = metadata.optionalNumber(key('rope.dimension_count')) ?? headDim;
  if (width > headDim || width < 2) {
    throw metadata.fault(
      `${key('rope.dimension_count')}: expected at most the head width ${headDim}, got ${width}`,
    );
  }
  return width;
}

/** The scaling as `rope_scaling` of config.json would have it. */
function scalingFields({ metadata, tensors }: GgufFile, key: (name: string) => string): object | undefined {
  const number = (name: string): number | undefined => metadata.optionalNumber(key(`rope.scaling.${name}`));
  const type = metadata.optionalString(key('rope.scaling.type'));
  const factor = number('factor') ?? metadata.optionalNumber(key('rope.scale_linear'));
  const original = number('original_context_length');
  const attention = number('attn_factor') ?? number('yarn_attn_factor');
  if (tensors.names.includes('rope_factors_long.weight')) {
    return {
      rope_type: 'longrope',
      long_factor: [...tensors.read('rope_factors_long.weight')],
      short_factor: [...tensors.read('rope_factors_short.weight')],
      original_max_position_embeddings: original,
      attention_factor: attention,
    };
  }
  switch (type) {
    case 'none':
      return undefined;
    case undefined:
    case 'linear': // llama.cpp's default type
      return factor === undefined || factor === 1 ? undefined : { rope_type: 'linear', factor };
    case 'yarn':
      return {
        rope_type: 'yarn',
        factor,
        original_max_position_embeddings: original,
        beta_fast: number('yarn_beta_fast'),
        beta_slow: number('yarn_beta_slow'),
        // llama.cpp's factor comes on top of yarn's own
        ...(attention === undefined || factor === undefined
          ? {}
          : { attention_factor: attention * (0.1 * Math.log(factor) + 1) }),
      };
    default:
      throw metadata.fault(
        `rope scaling "${type}" is not supported`,
        'Supported: none, linear, yarn, longrope.',
      );
  }
}

/**
 * The Llama-3 scaling that gives these divisors, with the constants of all Llama 3.1 to 3.3 releases: low and
 * high frequency factors 1 and 4, 8192 original positions. The factor itself is the largest divisor.
 *
 * @param divisors `[D/2]`
 */
function recogniseScaling(divisors: Float32Array, config: ModelConfig, metadata: GgufMetadata): RopeScaling {
  const scaling: RopeScaling = {
    kind: 'llama3',
    factor: divisors.at(-1) ?? 1,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  };
  const rope = config.ropes.find((one) => one !== undefined);
  if (rope !== undefined && rope.scaling === undefined) {
    const unscaled = ropeFrequencies(rope, 1);
    const scaled = ropeFrequencies({ ...rope, scaling }, 1);
    const same =
      divisors.length === unscaled.length &&
      divisors.every((divisor, j) => Math.abs((divisor * scaled[j]!) / unscaled[j]! - 1) < 1e-4);
    if (same) return scaling;
  }
  throw metadata.fault(
    'rope_freqs.weight does not hold the RoPE scaling of a Llama 3 release, and no other is supported',
    'Use the original checkpoint (config.json and safetensors) instead.',
  );
}
