/** Weights that are damaged, or change while they are read: one error with file and tensor, and the process ends. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import { safetensorsParts, gguf, type GgufTensor, writeGguf, writeSafetensors } from '../model/support.js';
import { byteTokenizer } from '../support/byte-tokenizer.js';
import { type Outcome, sparkEval, temporaryFolder, writeSpec } from './support.js';

const NANO = fileURLToPath(new URL('../../models/spark-nano', import.meta.url));
const CHANGE = new URL('../support/change-weights.js', import.meta.url).href;
/** E = F = H·D of a model of one layer; a block of Q8_0 has 32 numbers in 34 bytes. */
const [E, V, BLOCK] = [32, 512, 34];
const Q8_0 = 8;

/** Tensors of that model; matrices `[in, out]`. */
const MATRICES: Readonly<Record<string, readonly [number, number]>> = {
  'token_embd.weight': [E, V],
  'blk.0.attn_q.weight': [E, E],
  'blk.0.attn_k.weight': [E, E],
  'blk.0.attn_v.weight': [E, E],
  'blk.0.attn_output.weight': [E, E],
  'blk.0.ffn_gate.weight': [E, E],
  'blk.0.ffn_up.weight': [E, E],
  'blk.0.ffn_down.weight': [E, E],
};
const NORMS = ['blk.0.attn_norm.weight', 'blk.0.ffn_norm.weight', 'output_norm.weight'];

/** A Q8_0 file whose numbers are all 1/64. */
function writeQuantised(
  path: string,
  {
    width = E,
    damage,
  }: { readonly width?: number; readonly damage?: (data: Buffer, at: number) => void } = {},
): void {
  const tensors: GgufTensor[] = [];
  const parts: Buffer[] = [];
  let offset = 0;
  const add = (name: string, dimensions: readonly number[], type: number, data: Buffer): void => {
    tensors.push({ name, dimensions, type, offset });
    parts.push(data, Buffer.alloc((32 - (data.length % 32)) % 32));
    offset += 32 * Math.ceil(data.length / 32);
  };
  for (const [name, [rows, out]] of Object.entries(MATRICES)) {
    const data = Buffer.alloc((rows * out * BLOCK) / 32, 1);
    for (let at = 0; at < data.length; at += BLOCK) data.writeUInt16LE(0x2400, at);
    if (name === 'blk.0.ffn_up.weight') damage?.(data, 3 * BLOCK);
    add(name, [name === 'blk.0.ffn_down.weight' ? width : rows, out], Q8_0, data);
  }
  for (const name of NORMS) add(name, [E], 0, Buffer.from(new Float32Array(E).fill(1).buffer));
  writeGguf(path, {
    metadata: [
      ['general.architecture', gguf.string('llama')],
      ['llama.block_count', gguf.u32(1)],
      ['llama.embedding_length', gguf.u32(E)],
      ['llama.feed_forward_length', gguf.u32(E)],
      ['llama.attention.head_count', gguf.u32(1)],
      ['llama.attention.head_count_kv', gguf.u32(1)],
      ['llama.attention.layer_norm_rms_epsilon', gguf.f32(1e-5)],
      ['llama.context_length', gguf.u32(4096)],
      ...byteTokenizer(V),
    ],
    tensors,
    data: Buffer.concat(parts),
  });
}

/** spark-nano in two shards; the second begins in the middle of a layer. */
function writeShards(folder: string): void {
  const weights = openSafetensors(join(NANO, 'model.safetensors'));
  const names = weights.names.toSorted();
  const middle = names.indexOf('model.layers.3.mlp.up_proj.weight');
  const placed: Record<string, string> = {};
  for (const [file, part] of [
    ['one.safetensors', names.slice(0, middle)],
    ['two.safetensors', names.slice(middle)],
  ] as const) {
    const tensors = part.map((name) => {
      placed[name] = file;
      return [name, { dtype: 'BF16', shape: weights.shape(name), bytes: weights.packed(name).data }] as const;
    });
    const { header, data } = safetensorsParts(Object.fromEntries(tensors));
    writeSafetensors(join(folder, file), header, data);
  }
  weights.close();
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: placed }));
  for (const name of ['config.json', 'tokenizer.json']) copyFileSync(join(NANO, name), join(folder, name));
}

describe('weights that are damaged', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (model: string, env: NodeJS.ProcessEnv = {}, more: readonly string[] = []): Outcome => {
    const spec = writeSpec(
      folder,
      `name: x\nmodel: ${JSON.stringify(model)}\ntasks: [ruler/niah_single_1]\ncontext: 2048\nsamples: 2\ncache: [full]`,
    );
    const args = ['run', spec, '--engine', 'wasm', '--progress', 'none', '--threads', '2', ...more];
    return sparkEval(args, env);
  };
  /** One error, that names the file and says this; nothing else, and the process has ended by itself. */
  const expectOne = ({ status, stderr }: Outcome, file: string, says: RegExp): void => {
    expect(stderr).to.match(says);
    expect(stderr).to.contain(file);
    expect(stderr.match(/tensor "/g), stderr).to.have.length(1);
    expect(stderr).to.not.match(/\n {4}at /);
    expect(status, stderr).to.be.oneOf([1, 2]);
  };

  it('runs where they are sound', () => {
    const path = join(folder, 'sound.gguf');
    writeQuantised(path);
    const { status, stderr } = run(path);
    expect(status, stderr).to.equal(0);
  });

  it('a GGUF file whose blocks do not divide a row', () => {
    const path = join(folder, 'odd.gguf');
    writeQuantised(path, { width: E - 12 });
    expectOne(
      run(path),
      path,
      /tensor "blk\.0\.ffn_down\.weight": rows of 20 are not whole blocks of 32 \(Q8_0\)/,
    );
  });

  for (const [what, bits] of [
    ['NaN', 0x7e00],
    ['an infinity', 0x7c00],
  ] as const) {
    it(`a block whose scale is ${what}`, () => {
      const path = join(folder, 'scale.gguf');
      writeQuantised(path, { damage: (data, at) => data.writeUInt16LE(bits, at) });
      expectOne(
        run(path),
        path,
        /tensor "blk\.0\.ffn_up\.weight": a block has a scale that is no finite number\n.*damaged/,
      );
    });
  }

  it('a shard that ends in the middle of a layer', () => {
    writeShards(folder);
    expect(run(folder).status).to.equal(0);
    const shard = join(folder, 'two.safetensors');
    truncateSync(shard, readFileSync(shard).length - 300_000);
    rmSync(join(folder, 'out'), { recursive: true });
    expectOne(run(folder), shard, /tensor "model\.layers\.5\.\S+" lies outside the file.*\n.*cut short/);
  });

  for (const [how, says] of [
    ['cut', /(became shorter|was changed) while it was read \(tensor "model\.\S+"\)\n.*run it again/],
    ['touch', /was changed while it was read \(tensor "model\.\S+"\)\n.*run it again/],
  ] as const) {
    for (const workers of [1, 2]) {
      it(`a file that somebody writes to (${how}) while it is read, ${workers} processes`, () => {
        const model = join(folder, 'nano');
        mkdirSync(model);
        for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) {
          copyFileSync(join(NANO, name), join(model, name));
        }
        const weights = join(model, 'model.safetensors');
        const env = { NODE_OPTIONS: `--import ${CHANGE}`, CHANGE_WEIGHTS: weights, CHANGE_HOW: how };
        expectOne(run(model, env, ['--workers', String(workers)]), weights, says);
      });
    }
  }
});
