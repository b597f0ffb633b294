/**
 * Gemma 3, text: head norms in place of soft caps, two RoPEs, one layer in six sees everything. transformers: `models/gemma3`.
 *
 * Checkpoints with images hold the same text model under another prefix, its fields in `text_config`.
 */
import type { HfConfig } from '../hf-config.js';
import { parseRopeByType } from '../rope-config.js';
import {
  activationOf,
  GGUF_NAMES,
  headWidth,
  refuseFlag,
  RMS,
  RMS_PLUS_ONE,
  SANDWICH,
  slidesByType,
  windowsByType,
} from './plain.js';
import { GEMMA_SANDWICH } from './gemma2.js';
import type { Architecture } from './types.js';

/** Layers of the 27B, whose queries alone are scaled by hidden / heads in place of the head width. */
const LAYERS_27B = 62;
const LOCAL_THETA = 10_000;

/** Every n-th layer is full. */
function slides(c: HfConfig): (layer: number) => boolean {
  const pattern = c.sliding_window_pattern ?? 6;
  return (layer) => (layer + 1) % pattern !== 0;
}

export const gemma3Text: Architecture = {
  name: 'gemma3_text',
  classes: ['Gemma3ForCausalLM', 'Gemma3ForConditionalGeneration'],
  // the release with 4B parameters leaves most of these out
  defaults: {
    vocab_size: 262_208,
    hidden_size: 2304,
    intermediate_size: 9216,
    num_hidden_layers: 26,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    max_position_embeddings: 131_072,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
  },
  headDim: 256,
  facts: (c, place) => {
    refuseFlag(c, 'use_bidirectional_attention', place);
    const rope = parseRopeByType(
      c,
      { headDim: headWidth(c), theta: 1_000_000, localTheta: LOCAL_THETA },
      place,
    );
    return {
      norm: RMS_PLUS_ONE,
      places: SANDWICH,
      headNorm: 'head',
      activation: activationOf(c.hidden_activation, place, 'hidden_activation'),
      ropes: Array.from({ length: c.num_hidden_layers }, (_, layer) =>
        slidesByType(c, layer, slides(c), place) ? rope.sliding_attention : rope.full_attention,
      ),
      windows: windowsByType(c, slides(c), place),
      embeddingScale: Math.sqrt(c.hidden_size),
      attentionScale: c.query_pre_attn_scalar! ** -0.5,
      logitSoftCap: c.final_logit_softcapping ?? undefined,
    };
  },
  tensors: {
    ...GEMMA_SANDWICH,
    prefixes: ['language_model.', 'model.language_model.'],
    ignored: /^(model\.)?(vision_tower|multi_modal_projector)\./,
  },
  gguf: {
    name: 'gemma3',
    tensors: GGUF_NAMES,
    facts: { norm: RMS },
    config: (metadata, { layers, hidden, heads, headDim }) => ({
      query_pre_attn_scalar: layers === LAYERS_27B ? hidden / heads : headDim,
      sliding_window: metadata.optionalNumber('gemma3.attention.sliding_window') ?? null,
      rope_local_base_freq: metadata.optionalNumber('gemma3.rope.freq_base_swa') ?? LOCAL_THETA,
      sliding_window_pattern: metadata.optionalNumber('gemma3.attention.sliding_window_pattern') ?? 6,
      final_logit_softcapping: metadata.optionalNumber('gemma3.final_logit_softcapping') ?? null,
    }),
  },
};
