/**
 * A checkpoint in SmolLM2-135M's shape with random weights, for machines on which the real one is not pulled.
 *
 * Times and memory do not depend on what the numbers are; the same seed gives the same file.
 */
import { closeSync, copyFileSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SHAPE = { layers: 30, E: 576, H: 9, KV: 3, D: 64, F: 1536, V: 49_152 };
const NANO = fileURLToPath(new URL('../models/spark-nano', import.meta.url));

/** Writes config.json, model.safetensors (bfloat16) and tokenizer.json into a folder. */
export function writeRandomModel(folder: string): void {
  const { layers, E, H, KV, D, F, V } = SHAPE;
  mkdirSync(folder, { recursive: true });
  const shapes: Record<string, readonly number[]> = {
    'model.embed_tokens.weight': [V, E],
    'model.norm.weight': [E],
  };
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string): string => `model.layers.${layer}.${part}.weight`;
    Object.assign(shapes, {
      [name('input_layernorm')]: [E],
      [name('post_attention_layernorm')]: [E],
      [name('self_attn.q_proj')]: [H * D, E],
      [name('self_attn.k_proj')]: [KV * D, E],
      [name('self_attn.v_proj')]: [KV * D, E],
      [name('self_attn.o_proj')]: [E, H * D],
      [name('mlp.gate_proj')]: [F, E],
      [name('mlp.up_proj')]: [F, E],
      [name('mlp.down_proj')]: [E, F],
    });
  }
  writeTensors(join(folder, 'model.safetensors'), shapes);
  copyFileSync(join(NANO, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    ...{ vocab_size: V, hidden_size: E, intermediate_size: F, num_hidden_layers: layers },
    ...{ num_attention_heads: H, num_key_value_heads: KV, head_dim: D, hidden_act: 'silu' },
    ...{ max_position_embeddings: 8192, rms_norm_eps: 1e-5, rope_theta: 100_000, tie_word_embeddings: true },
    eos_token_id: 0,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
}

function writeTensors(path: string, shapes: Readonly<Record<string, readonly number[]>>): void {
  let at = 0;
  const count = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const start = at;
    at += 2 * count(shape);
    return [name, { dtype: 'BF16', shape, data_offsets: [start, at] }] as const;
  });
  const text = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(text.padEnd(8 * Math.ceil(text.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = openSync(path, 'w');
  try {
    writeSync(file, length);
    writeSync(file, header);
    let state = 1;
    const number = new Float32Array(1);
    const bits = new Uint32Array(number.buffer);
    for (const shape of Object.values(shapes)) {
      const halves = new Uint16Array(count(shape));
      for (let i = 0; i < halves.length; i++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        number[0] = shape.length === 1 ? 1 : 0.05 * (state / 2 ** 31 - 1);
        halves[i] = bits[0]! >>> 16;
      }
      writeSync(file, Buffer.from(halves.buffer));
    }
  } finally {
    closeSync(file);
  }
}
