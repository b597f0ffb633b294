/**
 * GGUF tensor names and row order → Hugging Face names and row order.
 *
 * Decides the mapping. llama.cpp stores the query and key rows of `llama` models in interleaved RoPE order
 * (channel 2i pairs with 2i + 1); they are put back into half-split order (i pairs with i + D/2). Qwen rows are
 * stored as they are.
 */
import type { ModelConfig, WeightSource } from '../types.js';

const TOP: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
};

const IN_BLOCK: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** The Hugging Face name of a GGUF tensor; unknown names stay as they are. */
export function huggingFaceName(name: string): string {
  const match = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name);
  if (match === null) return name;
  const [, block, part, kind] = match;
  const mapped = block === undefined ? TOP[part!] : IN_BLOCK[part!];
  if (mapped === undefined) return name;
  return block === undefined ? `${mapped}.${kind!}` : `model.layers.${block}.${mapped}.${kind!}`;
}

/** Tensors whose content went into the configuration. */
const CONSUMED = 'rope_freqs.weight';

/** A GGUF's tensors under Hugging Face names, query and key rows in half-split order. */
export function withHuggingFaceNames(tensors: WeightSource, config: ModelConfig): WeightSource {
  const origin = new Map(tensors.names.filter((n) => n !== CONSUMED).map((n) => [huggingFaceName(n), n]));
  const ggufName = (name: string): string => origin.get(name) ?? name;
  return {
    names: [...origin.keys()],
    shape: (name) => tensors.shape(ggufName(name)),
    read: (name) => {
      const data = tensors.read(ggufName(name));
      const interleaved =
        config.architecture === 'llama' && /\.self_attn\.[qk]_proj\.(weight|bias)$/.test(name);
      return interleaved ? halfSplitRows(data, tensors.shape(ggufName(name))[0]!, config.headDim) : data;
    },
    close: () => {
      tensors.close();
    },
  };
}

/**
 * Rows from interleaved to half-split RoPE order, head by head.
 *
 * @param data `[rows, width]`, or `[rows]` for a bias
 * @param rows a multiple of `headDim`
 */
export function halfSplitRows(data: Float32Array, rows: number, headDim: number): Float32Array {
  const width = data.length / rows;
  const half = headDim / 2;
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const channel = row % headDim;
    const source = row - channel + 2 * (channel % half) + Math.floor(channel / half);
    out.set(data.subarray(source * width, (source + 1) * width), row * width);
  }
  return out;
}
