/**
 * GGUF metadata → ModelConfig.
 *
 * Decides which GGUF models can be computed exactly. Llama-3 RoPE scaling, which a GGUF holds only as one
 * divisor per frequency, is recognised by recomputing those divisors.
 */
import type { GgufFile } from './file.js';
import type { GgufMetadata } from './metadata.js';
import { parseArchitecture } from '../config.js';
import { checkConfig } from '../config-limits.js';
import { ropeFrequencies } from '../rope-frequencies.js';
import type { ModelConfig, RopeScaling } from '../types.js';

/** Reads the configuration. Throws UserError (place = the file) on anything that is missing or unsupported. */
export function ggufConfig({ metadata, tensors }: GgufFile): ModelConfig {
  const architecture = parseArchitecture(metadata.string('general.architecture'), metadata.place);
  const key = (name: string): string => `${architecture}.${name}`;
  refuseUnsupported(metadata, key);
  const names = new Set(tensors.names);
  if (!names.has('token_embd.weight')) throw metadata.fault('has no tensor "token_embd.weight"');
  const heads = metadata.uniformNumber(key('attention.head_count'));
  const hidden = metadata.number(key('embedding_length'));
  const kvHeads = metadata.has(key('attention.head_count_kv'))
    ? metadata.uniformNumber(key('attention.head_count_kv'))
    : heads;
  const plain: ModelConfig = {
    architecture,
    layers: metadata.number(key('block_count')),
    hidden,
    heads,
    kvHeads,
    headDim: metadata.optionalNumber(key('attention.key_length')) ?? hidden / heads,
    intermediate: metadata.uniformNumber(key('feed_forward_length')),
    vocabulary: tensors.shape('token_embd.weight')[0] ?? 0,
    normEps: metadata.number(key('attention.layer_norm_rms_epsilon')),
    ropeTheta: metadata.optionalNumber(key('rope.freq_base')) ?? 10_000,
    ropeScaling: undefined,
    tiedHead: !names.has('output.weight'),
    qkvBias: names.has('blk.0.attn_q.bias'),
    qkNorm: architecture === 'qwen3',
    maxPositions: metadata.number(key('context_length')),
    eosIds: endIds(metadata),
    bosId: metadata.optionalNumber('tokenizer.ggml.bos_token_id'),
  };
  checkConfig(plain, metadata.place);
  refuseOtherWidths(metadata, key, plain);
  const config = names.has('rope_freqs.weight')
    ? { ...plain, ropeScaling: recogniseScaling(tensors.read('rope_freqs.weight'), plain, metadata) }
    : plain;
  return config;
}

function endIds(metadata: GgufMetadata): number[] {
  const ids = ['eos', 'eot', 'eom'].map((name) => metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`));
  return [...new Set(ids.filter((id) => id !== undefined))];
}

function refuseUnsupported(metadata: GgufMetadata, key: (name: string) => string): void {
  const experts = metadata.optionalNumber(key('expert_count')) ?? 0;
  if (experts > 0) throw metadata.fault(`mixtures of experts are not supported (${experts} experts)`);
  if (metadata.has(key('attention.sliding_window')))
    throw metadata.fault('sliding windows are not supported');
  const scaling = metadata.optionalString(key('rope.scaling.type')) ?? 'none';
  const linear = metadata.optionalNumber(key('rope.scale_linear')) ?? 1;
  if (scaling !== 'none' || linear !== 1) {
    throw metadata.fault(
      `rope scaling "${scaling === 'none' ? 'linear' : scaling}" is not supported`,
      'Supported: none, and the scaling of Llama 3.',
    );
  }
}

/** Rotated and value channels must be those of the keys. */
function refuseOtherWidths(
  metadata: GgufMetadata,
  key: (name: string) => string,
  { headDim }: ModelConfig,
): void {
  for (const name of ['rope.dimension_count', 'attention.value_length']) {
    const width = metadata.optionalNumber(key(name)) ?? headDim;
    if (width !== headDim)
      throw metadata.fault(`${key(name)}: expected the head width ${headDim}, got ${width}`);
  }
}

/**
 * The Llama-3 scaling that gives these divisors, with the constants of all Llama 3.1 to 3.3 releases: low and
 * high frequency factors 1 and 4, 8192 original positions. The factor itself is the largest divisor.
 *
 * @param divisors `[D/2]`
 */
function recogniseScaling(divisors: Float32Array, plain: ModelConfig, metadata: GgufMetadata): RopeScaling {
  const scaling: RopeScaling = {
    kind: 'llama3',
    factor: divisors.at(-1) ?? 1,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  };
  const unscaled = ropeFrequencies(plain);
  const scaled = ropeFrequencies({ ...plain, ropeScaling: scaling });
  const same =
    divisors.length === unscaled.length &&
    divisors.every((divisor, j) => Math.abs((divisor * scaled[j]!) / unscaled[j]! - 1) < 1e-4);
  if (same) return scaling;
  throw metadata.fault(
    'rope_freqs.weight does not hold the RoPE scaling of a Llama 3 release, and no other is supported',
    'Use the original checkpoint (config.json and safetensors) instead.',
  );
}
