/**
 * Writes a GGUF file of a Hugging Face checkpoint by the rules of llama.cpp's converters.
 *
 * Written from their maps and not from the program's own, which is held against it: names, permuted rows, 1 + w, stacked
 * experts, query, key and value rows taken apart.
 */
import { writeFileSync } from 'node:fs';
import type { WeightSource } from '../../../src/checkpoint/types.js';
import { gguf, ggufBytes } from '../../model/support.js';

type Config = Readonly<Record<string, unknown>>;

interface Written {
  /** Row-major. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface Rules {
  /** `general.architecture` */
  readonly name: string;
  readonly permuted?: boolean;
  readonly plusOne?: boolean;
  readonly metadata?: (c: Config, key: (name: string) => string) => [string, Buffer][];
  readonly names?: Readonly<Record<string, string>>;
}

const LLAMA_NAMES: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
  'mlp.gate': 'ffn_gate_inp',
};

const SANDWICH_NAMES: Readonly<Record<string, string>> = {
  post_attention_layernorm: 'post_attention_norm',
  pre_feedforward_layernorm: 'ffn_norm',
  post_feedforward_layernorm: 'post_ffw_norm',
};

const number = (c: Config, field: string): number => c[field] as number;

function yarnOrLinear(c: Config, key: (name: string) => string): [string, Buffer][] {
  const rope = c['rope_parameters'] as Readonly<Record<string, unknown>> | undefined;
  const type = rope?.['rope_type'];
  if (type !== 'yarn' && type !== 'linear') return [];
  const factor: [string, Buffer][] = [
    [key('rope.scaling.type'), gguf.string(type)],
    [key('rope.scaling.factor'), gguf.f32(rope!['factor'] as number)],
  ];
  if (type === 'linear') return factor;
  const original = rope!['original_max_position_embeddings'] as number;
  return [...factor, [key('rope.scaling.original_context_length'), gguf.u32(original)]];
}

const gemma2Like = (c: Config, key: (name: string) => string): [string, Buffer][] => [
  [key('attention.sliding_window'), gguf.u32(number(c, 'sliding_window'))],
];

const RULES: Readonly<Record<string, Rules>> = {
  llama: { name: 'llama', permuted: true, metadata: yarnOrLinear },
  mistral: { name: 'llama', permuted: true },
  granite: {
    name: 'granite',
    permuted: true,
    metadata: (c, key) => [
      [key('embedding_scale'), gguf.f32(number(c, 'embedding_multiplier'))],
      [key('residual_scale'), gguf.f32(number(c, 'residual_multiplier'))],
      [key('attention.scale'), gguf.f32(number(c, 'attention_multiplier'))],
      [key('logit_scale'), gguf.f32(number(c, 'logits_scaling'))],
    ],
  },
  smollm3: { name: 'smollm3', permuted: true },
  qwen2: { name: 'qwen2' },
  qwen3: { name: 'qwen3' },
  qwen3_moe: {
    name: 'qwen3moe',
    metadata: (c, key) => [
      [key('expert_count'), gguf.u32(number(c, 'num_local_experts'))],
      [key('expert_used_count'), gguf.u32(number(c, 'num_experts_per_tok'))],
      [key('expert_feed_forward_length'), gguf.u32(number(c, 'moe_intermediate_size'))],
    ],
  },
  phi3: {
    name: 'phi3',
    names: { 'self_attn.qkv_proj': 'attn_qkv', 'mlp.gate_up_proj': 'ffn_up' },
    metadata: (c, key) => {
      const original = c['original_max_position_embeddings'] as number | undefined;
      const longrope = (c['rope_parameters'] as { rope_type?: string }).rope_type === 'longrope';
      const stretch = number(c, 'max_position_embeddings') / original!;
      return [
        [key('attention.sliding_window'), gguf.u32((c['sliding_window'] as number | null) ?? 0)],
        ...(longrope
          ? ([
              [key('rope.scaling.original_context_length'), gguf.u32(original!)],
              [
                key('rope.scaling.attn_factor'),
                gguf.f32(Math.sqrt(1 + Math.log(stretch) / Math.log(original!))),
              ],
            ] as [string, Buffer][])
          : []),
      ];
    },
  },
  gemma: { name: 'gemma', plusOne: true },
  gemma2: {
    name: 'gemma2',
    plusOne: true,
    names: SANDWICH_NAMES,
    metadata: (c, key) => [
      ...gemma2Like(c, key),
      [key('attn_logit_softcapping'), gguf.f32(number(c, 'attn_logit_softcapping'))],
      [key('final_logit_softcapping'), gguf.f32(number(c, 'final_logit_softcapping'))],
    ],
  },
  gemma3_text: {
    name: 'gemma3',
    plusOne: true,
    names: SANDWICH_NAMES,
    metadata: (c, key) => [
      ...gemma2Like(c, key),
      [key('attention.sliding_window_pattern'), gguf.u32(number(c, 'sliding_window_pattern'))],
      [key('rope.scaling.type'), gguf.string('linear')],
      [key('rope.scaling.factor'), gguf.f32(8)],
    ],
  },
  olmo2: {
    name: 'olmo2',
    names: {
      post_attention_layernorm: 'post_attention_norm',
      post_feedforward_layernorm: 'post_ffw_norm',
    },
  },
  cohere: {
    name: 'command-r',
    metadata: (c, key) => [[key('logit_scale'), gguf.f32(number(c, 'logit_scale'))]],
  },
  glm4: {
    name: 'glm4',
    names: {
      'mlp.gate_up_proj': 'ffn_up',
      post_self_attn_layernorm: 'post_attention_norm',
      post_mlp_layernorm: 'post_ffw_norm',
    },
  },
  stablelm: { name: 'stablelm' },
  starcoder2: { name: 'starcoder2', names: { 'mlp.c_fc': 'ffn_up', 'mlp.c_proj': 'ffn_down' } },
  gpt_neox: {
    name: 'gptneox',
    names: {
      'attention.query_key_value': 'attn_qkv',
      'attention.dense': 'attn_output',
      'mlp.dense_h_to_4h': 'ffn_up',
      'mlp.dense_4h_to_h': 'ffn_down',
    },
    metadata: (_, key) => [[key('use_parallel_residual'), gguf.bool(true)]],
  },
};

/** Writes the file. `config` is config.json in the spelling of transformers 5. */
export function writeAsGguf(path: string, config: Config, weights: WeightSource): void {
  const rules = RULES[config['model_type'] as string]!;
  const tensors = new Map<string, Written>();
  const experts = new Map<string, Float32Array[]>();
  for (const name of weights.names) {
    const expert = /^model\.layers\.(\d+)\.mlp\.experts\.\d+\.(gate|up|down)_proj\.weight$/.exec(name);
    if (expert !== null) {
      const stacked = `blk.${expert[1]}.ffn_${expert[2]}_exps.weight`;
      experts.set(stacked, [...(experts.get(stacked) ?? []), weights.read(name)]);
      tensors.set(stacked, { shape: weights.shape(name), values: new Float32Array(0) });
      continue;
    }
    tensors.set(ggufName(name, rules), converted(name, weights, config, rules));
  }
  for (const [name, parts] of experts) {
    const { shape } = tensors.get(name)!;
    const values = Float32Array.from(parts.flatMap((part) => [...part]));
    tensors.set(name, { shape: [parts.length, ...shape], values });
  }
  const rope = config['rope_parameters'] as Readonly<Record<string, unknown>>;
  for (const length of ['long', 'short']) {
    const factors = rope[`${length}_factor`] as number[] | undefined;
    if (factors !== undefined) {
      const values = Float32Array.from(factors);
      tensors.set(`rope_factors_${length}.weight`, { shape: [values.length], values });
    }
  }
  writeFileSync(path, fileBytes(metadataOf(config, rules), tensors));
}

/** Experts come in the order of their numbers. */
function ggufName(name: string, rules: Rules): string {
  const top: Readonly<Record<string, string>> = {
    'model.embed_tokens': 'token_embd',
    'model.norm': 'output_norm',
    lm_head: 'output',
    'gpt_neox.embed_in': 'token_embd',
    'gpt_neox.final_layer_norm': 'output_norm',
    embed_out: 'output',
  };
  const [, stem, kind] = /^(.*)\.(weight|bias)$/.exec(name) as unknown as [string, string, string];
  if (top[stem] !== undefined) return `${top[stem]}.${kind}`;
  const [, layer, part] = /^(?:model|gpt_neox)\.layers\.(\d+)\.(.+)$/.exec(stem) as unknown as [
    string,
    string,
    string,
  ];
  const mapped = rules.names?.[part] ?? LLAMA_NAMES[part];
  if (mapped === undefined) throw new Error(`no name for ${name}`);
  return `blk.${layer}.${mapped}.${kind}`;
}

function converted(name: string, weights: WeightSource, config: Config, rules: Rules): Written {
  const shape = weights.shape(name);
  const values = weights.read(name);
  if (rules.plusOne === true && /norm\.weight$/.test(name))
    return { shape, values: values.map((w) => w + 1) };
  const heads = number(config, 'num_attention_heads');
  const kvHeads = (config['num_key_value_heads'] as number | undefined) ?? heads;
  if (rules.permuted === true && /\.(q|k)_proj\.(weight|bias)$/.test(name)) {
    return { shape, values: permuted(values, shape[0]!, name.includes('q_proj') ? heads : kvHeads) };
  }
  if (name.includes('query_key_value')) return { shape, values: apart(values, shape[0]!, heads) };
  return { shape, values };
}

/** `LlamaModel.permute`: `reshape(heads, 2, D/2, …).swapaxes(1, 2)`. */
function permuted(values: Float32Array, rows: number, heads: number): Float32Array {
  const width = values.length / rows;
  const D = rows / heads;
  const out: number[] = [];
  for (let h = 0; h < heads; h++) {
    for (let j = 0; j < D / 2; j++) {
      for (const half of [0, 1]) {
        const from = (h * D + half * (D / 2) + j) * width;
        out.push(...values.subarray(from, from + width));
      }
    }
  }
  return Float32Array.from(out);
}

/** `GPTNeoXModel`: q, k, v of each head → all q, all k, all v. */
function apart(values: Float32Array, rows: number, heads: number): Float32Array {
  const width = values.length / rows;
  const D = rows / heads / 3;
  const out: number[] = [];
  for (let part = 0; part < 3; part++) {
    for (let h = 0; h < heads; h++) {
      const from = (h * 3 + part) * D * width;
      out.push(...values.subarray(from, from + D * width));
    }
  }
  return Float32Array.from(out);
}

function metadataOf(c: Config, rules: Rules): [string, Buffer][] {
  const key = (name: string): string => `${rules.name}.${name}`;
  const heads = number(c, 'num_attention_heads');
  const headDim = (c['head_dim'] as number | undefined) ?? number(c, 'hidden_size') / heads;
  const rope = c['rope_parameters'] as Readonly<Record<string, unknown>>;
  const global = (rope['full_attention'] ?? rope) as Readonly<Record<string, unknown>>;
  const rotated = Math.floor(headDim * ((global['partial_rotary_factor'] as number | undefined) ?? 1));
  const rms = c['rms_norm_eps'] as number | undefined;
  const epsilon: [string, Buffer] =
    rms === undefined
      ? [key('attention.layer_norm_epsilon'), gguf.f32((c['layer_norm_eps'] ?? c['norm_epsilon']) as number)]
      : [key('attention.layer_norm_rms_epsilon'), gguf.f32(rms)];
  return [
    ['general.architecture', gguf.string(rules.name)],
    [key('block_count'), gguf.u32(number(c, 'num_hidden_layers'))],
    [key('context_length'), gguf.u32(number(c, 'max_position_embeddings'))],
    [key('embedding_length'), gguf.u32(number(c, 'hidden_size'))],
    [key('feed_forward_length'), gguf.u32(number(c, 'intermediate_size'))],
    [key('attention.head_count'), gguf.u32(heads)],
    [key('attention.head_count_kv'), gguf.u32((c['num_key_value_heads'] as number | undefined) ?? heads)],
    [key('attention.key_length'), gguf.u32(headDim)],
    [key('attention.value_length'), gguf.u32(headDim)],
    [key('rope.dimension_count'), gguf.u32(rotated)],
    [key('rope.freq_base'), gguf.f32(global['rope_theta'] as number)],
    epsilon,
    ...(rules.metadata?.(c, key) ?? []),
  ];
}

function fileBytes(metadata: [string, Buffer][], tensors: ReadonlyMap<string, Written>): Buffer {
  const chunks: Buffer[] = [];
  let offset = 0;
  const infos = [...tensors].map(([name, { shape, values }]) => {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const padding = Buffer.alloc((32 - (bytes.length % 32)) % 32);
    const info = { name, dimensions: [...shape].reverse(), offset };
    chunks.push(bytes, padding);
    offset += bytes.length + padding.length;
    return info;
  });
  return ggufBytes({ metadata, tensors: infos, data: Buffer.concat(chunks) });
}
