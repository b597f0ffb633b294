/**
 * Target 7: what a user waits for before anything is computed.
 *
 * The commands are those that answer without an engine, a finished run run again, and loading SmolLM2 onto the native
 * engine from either kind of file. The safetensors checkpoint is made of the GGUF file's weights where that is what was
 * pulled.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEngine } from '../src/engine/index.js';
import { roundToBfloat16 } from '../src/kernels/entries.js';
import { ggufTokenizerJson } from '../src/checkpoint/gguf/tokenizer.js';
import { openGguf } from '../src/checkpoint/gguf/file.js';
import { openModelFiles } from '../src/checkpoint/load.js';
import { Transformer } from '../src/model/transformer.js';
import type { ModelConfig, WeightSource } from '../src/checkpoint/types.js';
import { safetensorsParts, writeSafetensors } from '../test/model/support.js';
import { modelPath } from './model.js';
import { secondsOf, withFolder } from './program.js';
import { median, seconds, Skip, type Bench, type BenchContext, type Target } from './types.js';

const QUICKSTART = 'experiments/quickstart.yaml';
/** 22 cells of one sample each. */
const SMALL = ['--set', 'samples=1', '--set', 'context=384', '--engine', 'wasm', '--progress', 'none'];

export const startup: Bench = {
  name: 'startup',
  run: (context) =>
    withFolder(async (folder) => [...commands(folder, context), ...(await loading(folder, context))]),
};

function commands(folder: string, { repeat, log }: BenchContext): Target[] {
  const finished = ['run', QUICKSTART, ...SMALL, '--set', `output=${join(folder, 'finished')}`];
  secondsOf(finished);
  const limits: [args: readonly string[], name: string, limit: number][] = [
    [['--help'], '--help', 0.2],
    [['list', 'methods'], 'list methods', 0.2],
    [['list', 'tasks'], 'list tasks', 0.2],
    [['list', 'models'], 'list models', 0.2],
    [['plan', QUICKSTART], 'plan', 0.2],
    [finished, 'a finished run again', 1],
  ];
  return limits.map(([args, name, limit]) => {
    secondsOf(args); // warms the file cache
    const value = median(Array.from({ length: repeat }, () => secondsOf(args)));
    log(`startup: ${name} ${value.toFixed(3)} s`);
    return { name: `7 ${name}, seconds`, value, limit, bound: 'at most' };
  });
}

async function loading(folder: string, { repeat, log }: BenchContext): Promise<Target[]> {
  let path: string;
  try {
    path = modelPath();
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    log(`startup: loading is skipped: ${error.message}`);
    return [];
  }
  const sources: [path: string, name: string, limit: number][] = path.endsWith('.gguf')
    ? [
        [await asSafetensors(path, folder), 'safetensors', 3],
        [path, 'GGUF', 6],
      ]
    : [[join(path, '..'), 'safetensors', 3]];
  const targets: Target[] = [];
  for (const [source, name, limit] of sources) {
    const times = [];
    for (let r = 0; r < repeat; r++) times.push(await secondsToLoad(source));
    targets.push({ name: `7 loading from ${name}, seconds`, value: median(times), limit, bound: 'at most' });
  }
  return targets;
}

/** Files opened and checked, digest, tokenizer, all weights on the engine; the engine itself is open before. */
async function secondsToLoad(path: string): Promise<number> {
  const engine = await openEngine('auto');
  return seconds(async () => {
    const files = await openModelFiles(path);
    Transformer.load(engine, files).dispose();
    files.weights.close();
  });
}

/** A checkpoint folder with the same weights, in bf16 as checkpoints are. */
async function asSafetensors(path: string, folder: string): Promise<string> {
  const { config, weights } = await openModelFiles(path);
  const gguf = openGguf(path);
  try {
    const tensors = weights.names.map((name) => [name, asBfloat16(weights, name)] as const);
    const { header, data } = safetensorsParts(Object.fromEntries(tensors));
    writeSafetensors(join(folder, 'model.safetensors'), header, data);
    writeFileSync(join(folder, 'config.json'), JSON.stringify(asHuggingFace(config)));
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(ggufTokenizerJson(gguf.metadata)));
    writeFileSync(join(folder, 'tokenizer_config.json'), '{}');
    return folder;
  } finally {
    gguf.tensors.close();
    weights.close();
  }
}

function asBfloat16(weights: WeightSource, name: string): Parameters<typeof safetensorsParts>[0][string] {
  const numbers = weights.read(name);
  const bits = Uint16Array.from(new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length), (word) =>
    roundToBfloat16(word),
  );
  return { dtype: 'BF16', shape: weights.shape(name), bytes: new Uint8Array(bits.buffer) };
}

function asHuggingFace(config: ModelConfig): Record<string, unknown> {
  return {
    model_type: config.architecture,
    num_hidden_layers: config.layers,
    hidden_size: config.hidden,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    intermediate_size: config.intermediate,
    vocab_size: config.vocabulary,
    rms_norm_eps: config.normEps,
    rope_theta: config.ropes[0]?.theta,
    max_position_embeddings: config.maxPositions,
    tie_word_embeddings: config.tiedHead,
    eos_token_id: config.eosIds,
  };
}
