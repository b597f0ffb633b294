/**
 * The facts of a Llama layer, which the other descriptions change where they differ, and pieces that several share.
 */
import { UserError } from '../../base/errors.js';
import type { HfConfig } from '../hf-config.js';
import { parseRope, type RopeOptions } from '../rope-config.js';
import type { Activation, BlockFacts, NormPlaces, Rope } from '../types.js';
import type { TensorLayout } from '../tensor-layout.js';

export const RMS = { kind: 'rms', plusOne: false, bias: false } as const;
/** The stored weight is w − 1 (Gemma). */
export const RMS_PLUS_ONE = { kind: 'rms', plusOne: true, bias: false } as const;
export const LAYER_NORM = { kind: 'layer', plusOne: false, bias: false } as const;
export const LAYER_NORM_BIAS = { kind: 'layer', plusOne: false, bias: true } as const;

/** Before attention and before the MLP. */
export const PRE: NormPlaces = { attentionIn: true, attentionOut: false, mlpIn: true, mlpOut: false };
/** Behind both. */
export const POST: NormPlaces = { attentionIn: false, attentionOut: true, mlpIn: false, mlpOut: true };
/** Before and behind both. */
export const SANDWICH: NormPlaces = { attentionIn: true, attentionOut: true, mlpIn: true, mlpOut: true };
/** One norm for attention and MLP side by side. */
export const ONE_BEFORE_BOTH: NormPlaces = {
  attentionIn: true,
  attentionOut: false,
  mlpIn: false,
  mlpOut: false,
};

export const NO_BIASES = { qkv: false, output: false, mlp: false } as const;

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_new: 'gelu_tanh',
};

/** Throws UserError on one that is not computed here. */
export function activationOf(
  name: string | null | undefined,
  place: string,
  field = 'hidden_act',
): Activation {
  const known = ACTIVATIONS[name ?? 'silu'];
  if (known !== undefined) return known;
  throw new UserError(`${field} "${name}" is not supported`, {
    place,
    hint: `Supported: ${Object.keys(ACTIVATIONS).join(', ')}.`,
  });
}

/** D */
export function headWidth(c: HfConfig): number {
  return c.head_dim ?? c.hidden_size / c.num_attention_heads;
}

/** The same for every layer. */
export function everyLayer<T>(c: HfConfig, value: T): readonly T[] {
  return Array.from({ length: c.num_hidden_layers }, () => value);
}

/** One rotation for all layers. */
export function ropes(
  c: HfConfig,
  place: string,
  options: Partial<RopeOptions> = {},
): readonly (Rope | undefined)[] {
  return everyLayer(c, parseRope(c, { headDim: headWidth(c), theta: 10_000, ...options }, place));
}

/** W; 0 and null mean none. */
export function windowOf(c: HfConfig): number | undefined {
  return c.sliding_window === 0 ? undefined : (c.sliding_window ?? undefined);
}

/**
 * The windows of layers by `layer_types`, or by `slides` where config.json has none.
 * Throws UserError on another type, or where a layer slides without a window.
 */
export function windowsByType(
  c: HfConfig,
  slides: (layer: number) => boolean,
  place: string,
): readonly (number | undefined)[] {
  const window = windowOf(c);
  return Array.from({ length: c.num_hidden_layers }, (_, layer) => {
    if (!slidesByType(c, layer, slides, place)) return undefined;
    if (window !== undefined) return window;
    throw new UserError(`layer ${layer} slides, but sliding_window is not given`, { place });
  });
}

/** Whether a layer slides. */
export function slidesByType(
  c: HfConfig,
  layer: number,
  slides: (layer: number) => boolean,
  place: string,
): boolean {
  if (c.layer_types === null || c.layer_types === undefined) return slides(layer);
  const type = c.layer_types[layer];
  if (c.layer_types.length !== c.num_hidden_layers) {
    throw new UserError(
      `layer_types: expected one of each of ${c.num_hidden_layers} layers, got ${c.layer_types.length}`,
      { place },
    );
  }
  if (type === 'sliding_attention') return true;
  if (type === 'full_attention') return false;
  throw new UserError(`layer type "${type}" is not supported`, {
    place,
    hint: 'Supported: full_attention, sliding_attention.',
  });
}

/** Facts of a Llama layer with the sizes of this configuration. */
export function plainFacts(c: HfConfig): Omit<BlockFacts, 'ropes'> {
  return {
    norm: RMS,
    places: PRE,
    parallel: false,
    headNorm: 'none',
    activation: 'silu',
    gated: true,
    biases: NO_BIASES,
    windows: everyLayer(c, undefined),
    attentionScale: headWidth(c) ** -0.5,
    attentionSoftCap: undefined,
    logitSoftCap: undefined,
    embeddingScale: 1,
    residualScale: 1,
    logitScale: 1,
    experts: undefined,
  };
}

/** Throws UserError where a flag asks for what is not computed here. */
export function refuseFlag(c: HfConfig, field: string, place: string): void {
  if (c[field] === true) throw new UserError(`${field} is not supported`, { place });
}

/** Llama's names in a GGUF file. */
export const GGUF_NAMES: TensorLayout = {
  top: { 'model.embed_tokens': 'token_embd', 'model.norm': 'output_norm', lm_head: 'output' },
  block: (layer) => `blk.${layer}.`,
  parts: {
    input_layernorm: 'attn_norm',
    'self_attn.q_proj': 'attn_q',
    'self_attn.k_proj': 'attn_k',
    'self_attn.v_proj': 'attn_v',
    'self_attn.o_proj': 'attn_output',
    'self_attn.q_norm': 'attn_q_norm',
    'self_attn.k_norm': 'attn_k_norm',
    post_self_attn_layernorm: 'post_attention_norm',
    post_attention_layernorm: 'ffn_norm',
    post_mlp_layernorm: 'post_ffw_norm',
    'mlp.gate_proj': 'ffn_gate',
    'mlp.up_proj': 'ffn_up',
    'mlp.down_proj': 'ffn_down',
    'mlp.gate': 'ffn_gate_inp',
  },
  stackedExperts: { gate_proj: 'ffn_gate_exps', up_proj: 'ffn_up_exps', down_proj: 'ffn_down_exps' },
  ignored: /^rope_(freqs|factors_long|factors_short)\.weight$/,
};

/** The same where llama.cpp's converter permuted the rows of queries and keys. */
export const GGUF_PERMUTED: TensorLayout = {
  ...GGUF_NAMES,
  interleavedRows: ['self_attn.q_proj', 'self_attn.k_proj'],
};

export const QKV = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'] as const;
export const GATE_UP = ['mlp.gate_proj', 'mlp.up_proj'] as const;
