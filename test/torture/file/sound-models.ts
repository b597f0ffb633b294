/**
 * Sound files of models, small: what is broken afterwards.
 *
 * The model of `test/fixtures/gguf` in the forms in which models come, and low-rank factors.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expectedTensors } from '../../../src/checkpoint/check-weights.js';
import { ggufConfig } from '../../../src/checkpoint/gguf/config.js';
import { ggufWeights } from '../../../src/checkpoint/gguf/weights.js';
import { ggufTokenizerJson } from '../../../src/checkpoint/gguf/tokenizer.js';
import { openGguf } from '../../../src/checkpoint/gguf/file.js';
import { FIXTURES, safetensorsBytes, safetensorsParts, type RawTensor } from '../../model/support.js';
import { fixture, json } from './content.js';
import type { Files } from './kind.js';

export const GGUF: readonly Files[] = [{ 'model.gguf': fixture('gguf/tiny-llama.gguf') }];
export const GGUF_TENSORS: readonly Files[] = [{ 'model.gguf': fixture('gguf/quantised.gguf') }];

const f32 = (shape: readonly number[], values: Float32Array): RawTensor => ({
  dtype: 'F32',
  shape,
  bytes: Buffer.from(values.buffer, values.byteOffset, values.byteLength),
});

function safetensors(tensors: Readonly<Record<string, RawTensor>>): Buffer {
  const { header, data } = safetensorsParts(tensors);
  return safetensorsBytes(header, data);
}

/** The GGUF's model as a checkpoint folder, whole and in two shards. */
export function checkpoints(): { readonly whole: Files; readonly shards: Files } {
  const gguf = openGguf(join(FIXTURES, 'gguf/tiny-llama.gguf'));
  const config = ggufConfig(gguf);
  const weights = ggufWeights(gguf, config);
  const tensors = [...expectedTensors(config)].map(
    ([name, shape]) => [name, f32(shape, weights.read(name))] as const,
  );
  const source = gguf.metadata.optionalString('tokenizer.chat_template')!;
  gguf.tensors.close();
  const common: Files = {
    'config.json': json({
      ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', num_hidden_layers: 1, hidden_size: 8 },
      ...{
        num_attention_heads: 2,
        num_key_value_heads: 1,
        head_dim: 4,
        intermediate_size: config.intermediate,
      },
      ...{
        vocab_size: config.vocabulary,
        rms_norm_eps: 1e-5,
        max_position_embeddings: 64,
        tie_word_embeddings: true,
      },
      ...{
        attention_bias: false,
        mlp_bias: false,
        hidden_act: 'silu',
        rope_theta: 1000,
        bos_token_id: 1,
        eos_token_id: [2],
      },
      rope_scaling: {
        ...{ rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
        original_max_position_embeddings: 16,
      },
    }),
    'generation_config.json': json({ eos_token_id: [2, 3], temperature: 0.6 }),
    'tokenizer.json': json(ggufTokenizerJson(gguf.metadata)),
    'tokenizer_config.json': json({
      ...{
        bos_token: '<s>',
        eos_token: { content: '</s>' },
        clean_up_tokenization_spaces: false,
        chat_template: source,
      },
    }),
  };
  const [first, second] = [tensors.slice(0, 4), tensors.slice(4)].map(Object.fromEntries<RawTensor>);
  const placed = tensors.map(([name], i) => [name, `part-${i < 4 ? 1 : 2}.safetensors`] as const);
  const sha = (content: string): string => createHash('sha256').update(content).digest('hex');
  return {
    whole: {
      ...common,
      'model.safetensors': safetensors(Object.fromEntries(tensors)),
      'pull.json': json({
        ...{ format: 1, model: 'tiny', source: 'somewhere', pulledAt: '2026-01-01T00:00:00.000Z' },
        files: { 'model.safetensors': { bytes: 1, modifiedMs: 1, sha256: sha('x') } },
      }),
    },
    shards: {
      ...common,
      'model.safetensors.index.json': json({
        metadata: { total_size: 1 },
        weight_map: Object.fromEntries(placed),
      }),
      'part-1.safetensors': safetensors(first!),
      'part-2.safetensors': safetensors(second!),
    },
  };
}

/** Every number format that is read, and one that is not. */
export const SAFETENSORS: readonly Files[] = [
  {
    'x.safetensors': safetensors({
      a: f32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
      b: { dtype: 'F16', shape: [4], bytes: Buffer.from('003c00bc007e00fc', 'hex') },
      c: { dtype: 'BF16', shape: [2, 1], bytes: Buffer.from('803f80bf', 'hex') },
      empty: { dtype: 'F32', shape: [0, 3], bytes: Buffer.alloc(0) },
    }),
  },
];

export const FACTORS_CONFIG = { layers: 1, hidden: 6, kvHeads: 2, headDim: 4 };

/** Low-rank factors of a model of that shape. */
export function factors(): Files {
  const numbers = (rows: number, columns: number): RawTensor =>
    f32(
      [rows, columns],
      Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i)),
    );
  const matrices = safetensors({
    ...{ 'layers.0.keys.0.down': numbers(6, 2), 'layers.0.keys.0.up': numbers(2, 4) },
    ...{ 'layers.0.keys.1.down': numbers(6, 3), 'layers.0.keys.1.up': numbers(3, 4) },
    ...{ 'layers.0.values.0.down': numbers(6, 5), 'layers.0.values.0.up': numbers(5, 8) },
  });
  return withDigest({
    'factors.safetensors': matrices,
    'factors.json': json({
      made: { by: 'torture' },
      digest: '',
      layers: [
        {
          keys: [
            { heads: [1], rank: 2 },
            { heads: [0], rank: 3 },
          ],
          values: [{ heads: [0, 1], rank: 5 }],
        },
      ],
    }),
  });
}

/** The description with the digest of the matrices as they are now. */
export function withDigest(files: Files): Files {
  const digest = createHash('sha256').update(files['factors.safetensors']!).digest('hex');
  const description = files['factors.json']!.toString().replace(
    /"digest": ?"[0-9a-f]*"/,
    `"digest": "${digest}"`,
  );
  return { ...files, 'factors.json': Buffer.from(description) };
}
