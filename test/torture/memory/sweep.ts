/**
 * 200 pipelines on prompts of 8,192 tokens, and a model that is small enough for it: two layers of random weights.
 *
 * The caches of its pipelines together are far larger than any one of them.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomFor } from '../../../src/base/random.js';
import { f32, safetensorsParts, writeSafetensors, type RawTensor } from '../../model/support.js';

const [LAYERS, E, H, KV, D, F, V] = [2, 64, 4, 2, 64, 128, 2048];
const MODELS = new URL('../../../models/spark-nano/', import.meta.url);
/** Every other token ends an answer: what is measured is not how long it takes. */
const ENDS = Array.from({ length: V / 2 }, (_, i) => 2 * i);

/** Writes the model into `folder`, with the tokenizer of the embedded one. */
export function writeSmallModel(folder: string): void {
  mkdirSync(folder, { recursive: true });
  copyFileSync(new URL('tokenizer.json', MODELS), join(folder, 'tokenizer.json'));
  const config = {
    ...{ model_type: 'llama', architectures: ['LlamaForCausalLM'], vocab_size: V, hidden_size: E },
    ...{ intermediate_size: F, num_hidden_layers: LAYERS, num_attention_heads: H, num_key_value_heads: KV },
    ...{ head_dim: D, max_position_embeddings: 16_384, rms_norm_eps: 1e-5, rope_theta: 1e5 },
    ...{ tie_word_embeddings: true, eos_token_id: ENDS, attention_bias: false },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const { header, data } = safetensorsParts(randomWeights());
  writeSafetensors(join(folder, 'model.safetensors'), header, data);
}

function randomWeights(): Record<string, RawTensor> {
  const random = randomFor('torture/small-model');
  const draw = (shape: readonly number[]): RawTensor => {
    const values = Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => random.uint32() / 2 ** 33 - 0.25,
    );
    return f32(shape, values);
  };
  const ones = (length: number): RawTensor =>
    f32(
      [length],
      Array.from({ length }, () => 1),
    );
  const layers = Array.from({ length: LAYERS }, (_, layer): [string, RawTensor][] => {
    const name = (part: string): string => `model.layers.${layer}.${part}.weight`;
    return [
      [name('input_layernorm'), ones(E)],
      [name('self_attn.q_proj'), draw([H * D, E])],
      [name('self_attn.k_proj'), draw([KV * D, E])],
      [name('self_attn.v_proj'), draw([KV * D, E])],
      [name('self_attn.o_proj'), draw([E, H * D])],
      [name('post_attention_layernorm'), ones(E)],
      [name('mlp.gate_proj'), draw([F, E])],
      [name('mlp.up_proj'), draw([F, E])],
      [name('mlp.down_proj'), draw([E, F])],
    ];
  });
  const embedding = draw([V, E]);
  return Object.fromEntries([
    ['model.embed_tokens.weight', embedding],
    ...layers.flat(),
    ['model.norm.weight', ones(E)],
  ] as [string, RawTensor][]);
}

export const PIPELINES = 200;
export const TOKENS = 8192;

/** Writes the spec beside the model in `folder`; `full` is one of the pipelines. */
export function writeSweep(folder: string): string {
  const ratios = (count: number): string =>
    JSON.stringify(Array.from({ length: count }, (_, i) => Number((0.1 + (0.8 * i) / count).toFixed(4))));
  const path = join(folder, 'sweep.yaml');
  writeFileSync(
    path,
    `name: sweep
model: ${join(folder, 'model')}
tasks: [ruler/niah_single_1]
context: ${TOKENS}
samples: 1
cache:
  - full
  - streaming_llm: { ratio: ${ratios(120)} }
  - snapkv: { ratio: ${ratios(40)} }
  - think: { ratio: ${ratios(PIPELINES - 161)} }
output: ${join(folder, 'out')}
`,
  );
  return path;
}
