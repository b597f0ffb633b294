import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { openGguf } from '../../../src/checkpoint/gguf/file.js';
import { ggufConfig } from '../../../src/checkpoint/gguf/config.js';
import { ggufWeights } from '../../../src/checkpoint/gguf/weights.js';
import { GGUF_PERMUTED } from '../../../src/checkpoint/architectures/plain.js';
import { configIdentity } from '../../../src/checkpoint/config-identity.js';
import { interleavedRow, placeOf } from '../../../src/checkpoint/tensor-layout.js';
import { openModelFiles } from '../../../src/checkpoint/load.js';
import { readModelConfig } from '../../../src/checkpoint/read-config.js';
import { ropeFrequencies } from '../../../src/checkpoint/rope-frequencies.js';
import type { ModelConfig } from '../../../src/checkpoint/types.js';
import { FIXTURES, gguf, ggufTensors, userError, useTempFolder, writeGguf } from '../../model/support.js';

const TINY = join(FIXTURES, 'gguf/tiny-llama.gguf');
const reference = JSON.parse(readFileSync(join(FIXTURES, 'gguf/tiny-llama.json'), 'utf8')) as {
  tensors: Record<string, { shape: number[]; sixtyFourths: number[] }>;
  probes: { text: string; ids: number[]; decoded: string }[];
};

describe('a GGUF model', () => {
  const temp = useTempFolder();

  it('gives the configuration that was written', () => {
    const { normEps, ...config } = configIdentity(readModelConfig(TINY));
    expect(normEps).to.be.closeTo(1e-5, 1e-12);
    expect(config).to.deep.equal({
      architecture: 'llama',
      layers: 1,
      hidden: 8,
      heads: 2,
      kvHeads: 1,
      headDim: 4,
      intermediate: 12,
      vocabulary: 266,
      ropeTheta: 1000,
      ropeScaling: undefined,
      tiedHead: true,
      qkvBias: false,
      qkNorm: false,
      maxPositions: 64,
      eosIds: [2],
      bosId: 1,
    });
  });

  it('gives the original tensors under their Hugging Face names, query and key rows unpermuted', async () => {
    const { weights } = await openModelFiles(TINY);
    expect(weights.names).to.have.members([...Object.keys(reference.tensors), 'model.embed_tokens.weight']);
    for (const [name, { shape, sixtyFourths }] of Object.entries(reference.tensors)) {
      expect(weights.shape(name), name).to.deep.equal(shape);
      expect([...weights.read(name)], name).to.deep.equal(sixtyFourths.map((n) => n / 64));
    }
    weights.close();
  });

  it('gives the ids of the reference tokenizer, and the text back', async () => {
    const { tokenizer, weights } = await openModelFiles(TINY);
    for (const { text, ids, decoded } of reference.probes) {
      expect(tokenizer.encode(text), text).to.deep.equal(ids);
      expect(tokenizer.decode(ids), text).to.equal(decoded);
    }
    weights.close();
  });

  it('renders its chat template', async () => {
    const { chatTemplate, weights } = await openModelFiles(TINY);
    expect(chatTemplate!.render('hello')).to.equal(
      '<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n',
    );
    weights.close();
  });

  it('maps names', () => {
    const config = { heads: 2, headDim: 4, experts: undefined };
    const inFile = (name: string): string => placeOf(name, GGUF_PERMUTED, config, () => 8).file;
    expect(inFile('model.layers.11.self_attn.k_proj.bias')).to.equal('blk.11.attn_k.bias');
    expect(inFile('model.layers.0.self_attn.q_norm.weight')).to.equal('blk.0.attn_q_norm.weight');
    expect(inFile('lm_head.weight')).to.equal('output.weight');
  });

  it('rows of queries and keys are put back head by head', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        (heads, half, width) => {
          const headDim = 2 * half;
          const rows = heads * headDim;
          const original = Float32Array.from({ length: rows * width }, (_, i) => i);
          const interleaved = new Float32Array(rows * width);
          for (let h = 0; h < heads; h++) {
            for (let i = 0; i < half; i++) {
              for (const part of [0, 1]) {
                const from = h * headDim + part * half + i;
                const to = h * headDim + 2 * i + part;
                interleaved.set(original.subarray(from * width, (from + 1) * width), to * width);
              }
            }
          }
          const found = Array.from({ length: rows }, (_, row) => {
            const source = interleavedRow(row, headDim) * width;
            return [...interleaved.subarray(source, source + width)];
          });
          expect(found.flat()).to.deep.equal([...original]);
        },
      ),
    );
  });

  /** Metadata of a model of two heads of width 8, and its first tensors. */
  const write = (
    architecture: string,
    metadata: Record<string, Buffer> = {},
    extra: Parameters<typeof ggufTensors>[0] = {},
  ): string => {
    const path = temp('m.gguf');
    const required = {
      'general.architecture': gguf.string(architecture),
      [`${architecture}.block_count`]: gguf.u32(1),
      [`${architecture}.context_length`]: gguf.u32(131072),
      [`${architecture}.embedding_length`]: gguf.u32(16),
      [`${architecture}.feed_forward_length`]: gguf.u32(8),
      [`${architecture}.attention.head_count`]: gguf.u32(2),
      [`${architecture}.attention.layer_norm_rms_epsilon`]: gguf.f32(1e-6),
      [`${architecture}.rope.freq_base`]: gguf.f32(500000),
    };
    const embedding = { dimensions: [16, 3], values: new Array<number>(48).fill(0) };
    writeGguf(path, {
      metadata: Object.entries({ ...required, ...metadata }),
      ...ggufTensors({ 'token_embd.weight': embedding, ...extra }),
    });
    return path;
  };
  const configOf = (...parts: Parameters<typeof write>): ModelConfig => readModelConfig(write(...parts));
  const fault = (...parts: Parameters<typeof write>): string => {
    const path = write(...parts);
    return userError(() => readModelConfig(path)).message;
  };

  it('reads the marks of each architecture', () => {
    const bias = {
      'blk.0.attn_q.bias': { dimensions: [16], values: Array.from({ length: 16 }, (_, i) => i) },
    };
    const output = { 'output.weight': { dimensions: [16, 3], values: new Array<number>(48).fill(0) } };
    expect(configIdentity(configOf('qwen2', {}, bias))).to.deep.include({
      qkvBias: true,
      qkNorm: false,
      tiedHead: true,
    });
    const qwen3 = configIdentity(configOf('qwen3', { 'qwen3.attention.key_length': gguf.u32(12) }, output));
    expect(qwen3).to.deep.include({ qkNorm: true, tiedHead: false, headDim: 12 });
    expect(
      configOf('llama', {
        'llama.attention.head_count_kv': gguf.u32s([1, 1]),
        'tokenizer.ggml.eos_token_id': gguf.u32(1),
        'tokenizer.ggml.eot_token_id': gguf.u32(2),
      }),
    ).to.deep.include({ kvHeads: 1, eosIds: [1, 2], bosId: undefined });
  });

  it('unpermutes biases of llama, not those of qwen2', () => {
    const bias = {
      'blk.0.attn_q.bias': { dimensions: [16], values: Array.from({ length: 16 }, (_, i) => i) },
    };
    const read = (architecture: string): number[] => {
      const file = openGguf(write(architecture, {}, bias));
      const weights = ggufWeights(file, ggufConfig(file));
      const values = [...weights.read('model.layers.0.self_attn.q_proj.bias')];
      weights.close();
      return values;
    };
    expect(read('llama').slice(0, 8)).to.deep.equal([0, 2, 4, 6, 1, 3, 5, 7]);
    expect(read('qwen2').slice(0, 8)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('recognises the RoPE scaling of Llama 3, and only that', () => {
    const scaling = {
      kind: 'llama3',
      factor: 32,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    } as const;
    const plain = configOf('llama');
    const rope = plain.ropes[0]!;
    const slow = ropeFrequencies({ ...rope, scaling }, 1);
    const divisors = Array.from(ropeFrequencies(rope, 1), (f, j) => f / slow[j]!);
    const frequencies = (values: number[]): Parameters<typeof write> => [
      'llama',
      {},
      { 'rope_freqs.weight': { dimensions: [values.length], values } },
    ];
    expect(configOf(...frequencies(divisors)).ropes[0]?.scaling).to.deep.equal(scaling);
    expect(fault(...frequencies(divisors.map((d, j) => (j === 2 ? d * 1.5 : d))))).to.match(/rope_freqs/);
    expect(fault(...frequencies(divisors.slice(1)))).to.match(/rope_freqs/);
  });

  it('refuses by name what would be computed wrongly', () => {
    expect(fault('mamba')).to.match(/architecture "mamba" is not supported/);
    expect(fault('llama', { 'llama.expert_count': gguf.u32(8) })).to.match(/8 experts/);
    expect(fault('llama', { 'llama.attention.sliding_window': gguf.u32(8) })).to.match(/sliding windows/);
    expect(fault('llama', { 'llama.rope.scaling.type': gguf.string('dynamic') })).to.match(/"dynamic"/);
    expect(fault('llama', { 'llama.rope.dimension_count': gguf.u32(10) })).to.match(/head width 8, got 10/);
    expect(fault('llama', { 'llama.attention.value_length': gguf.u32(4) })).to.match(/head width 8, got 4/);
    expect(fault('llama', { 'llama.attention.head_count_kv': gguf.u32s([1, 2]) })).to.match(
      /layers that differ/,
    );
    expect(fault('llama', { 'llama.attention.head_count': gguf.u32(0) })).to.match(
      /head_count: expected a whole number of at least 1, got 0/,
    );
    expect(fault('llama', { 'llama.attention.layer_norm_rms_epsilon': gguf.f32(NaN) })).to.match(
      /rms_norm_eps/,
    );
  });
});
