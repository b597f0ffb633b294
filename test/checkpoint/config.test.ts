import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { configIdentity } from '../../src/checkpoint/config-identity.js';
import { parseConfig } from '../../src/checkpoint/config.js';
import type { ModelConfig } from '../../src/checkpoint/types.js';
import { FIXTURES, userError } from '../model/support.js';

const LLAMA = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  num_hidden_layers: 2,
  hidden_size: 64,
  num_attention_heads: 4,
  intermediate_size: 96,
  vocab_size: 160,
  max_position_embeddings: 1024,
};

const parse = (changes: Record<string, unknown> = {}, generation?: unknown): ModelConfig =>
  parseConfig({ ...LLAMA, ...changes }, generation, 'config.json');
const fault = (changes: Record<string, unknown>, generation?: unknown): string => {
  const error = userError(() => parse(changes, generation));
  expect(error.place).to.equal('config.json');
  return error.message;
};
const golden = (name: string): ModelConfig => {
  const path = join(FIXTURES, 'golden', name, 'config.json');
  return parseConfig(JSON.parse(readFileSync(path, 'utf8')), undefined, path);
};

/** What goes into cell keys: of Llama, Qwen2 and Qwen3 exactly these fields. */
const identity = (name: string): Readonly<Record<string, unknown>> => configIdentity(golden(name));

describe('config.json', () => {
  it('reads the golden llama, whose head width is not hidden / heads', () => {
    expect(identity('llama')).to.deep.equal({
      architecture: 'llama',
      layers: 3,
      hidden: 64,
      heads: 4,
      kvHeads: 2,
      headDim: 64,
      intermediate: 96,
      vocabulary: 160,
      normEps: 1e-5,
      ropeTheta: 10000,
      ropeScaling: undefined,
      tiedHead: true,
      qkvBias: false,
      qkNorm: false,
      maxPositions: 1024,
      eosIds: [2],
      bosId: 1,
    });
  });

  it('reads the golden llama3, qwen2 and qwen3', () => {
    expect(identity('llama3')).to.deep.include({
      tiedHead: false,
      ropeTheta: 500000,
      ropeScaling: {
        kind: 'llama3',
        factor: 8,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositions: 128,
      },
    });
    expect(identity('qwen2')).to.deep.include({ qkvBias: true, qkNorm: false, headDim: 64, eosIds: [] });
    expect(identity('qwen3')).to.deep.include({
      qkvBias: false,
      qkNorm: true,
      headDim: 64,
      bosId: undefined,
    });
  });

  it('fills in what transformers fills in', () => {
    expect(configIdentity(parse())).to.deep.include({
      kvHeads: 4,
      headDim: 16,
      ropeTheta: 10000,
      normEps: 1e-6,
      tiedHead: false,
    });
    expect(parse({ model_type: 'qwen3', architectures: null }).headDim).to.equal(128);
  });

  it('reads the older form of the RoPE fields', () => {
    const scaling = {
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
      rope_type: 'llama3',
    };
    expect(configIdentity(parse({ rope_theta: 500000, rope_scaling: scaling }))).to.deep.include({
      ropeTheta: 500000,
      ropeScaling: {
        kind: 'llama3',
        factor: 32,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositions: 8192,
      },
    });
    expect(parse({ rope_scaling: { type: 'default' } }).ropes[0]?.scaling).to.equal(undefined);
    expect(fault({ rope_scaling: { ...scaling, factor: undefined } })).to.match(/needs factor/);
    expect(fault({ rope_scaling: { ...scaling, high_freq_factor: 1 } })).to.match(/must exceed/);
  });

  it('joins the end ids of config.json and generation_config.json', () => {
    expect(parse({ eos_token_id: 2 }, { eos_token_id: [2, 5], temperature: 1 }).eosIds).to.deep.equal([2, 5]);
    expect(parse({ eos_token_id: null }, {}).eosIds).to.deep.equal([]);
    expect(fault({}, { eos_token_id: 'x' })).to.match(/eos_token_id/);
  });

  it('refuses by name what would be computed wrongly', () => {
    expect(fault({ model_type: 'mamba' })).to.equal('architecture "mamba" is not supported');
    expect(fault({ architectures: ['LlamaForSequenceClassification'] })).to.match(
      /LlamaForSequenceClassification/,
    );
    expect(fault({ rope_scaling: { rope_type: 'proportional', factor: 4 } })).to.equal(
      'rope type "proportional" is not supported',
    );
    expect(fault({ rope_parameters: { rope_type: 'dynamic' } })).to.equal('rope type "dynamic" needs factor');
    expect(fault({ hidden_act: 'relu' })).to.match(/hidden_act "relu"/);
    expect(fault({ quantization_config: { quant_method: 'gptq', bits: 4 } })).to.match(
      /quantization_config: weights quantised by gptq/,
    );
    expect(fault({ layer_types: ['full_attention', 'sliding_attention'] })).to.match(/"sliding_attention"/);
    expect(fault({ rope_interleaved: true })).to.match(/rope_interleaved/);
  });

  it('refuses absurd or contradictory sizes', () => {
    expect(fault({ num_hidden_layers: 1e6 })).to.match(/num_hidden_layers: .*1024/);
    expect(fault({ hidden_size: 2 ** 40 })).to.match(/hidden: expected/);
    expect(fault({ vocab_size: 1e12 })).to.match(/vocabulary: expected/);
    expect(fault({ num_attention_heads: 5 })).to.match(/headDim: expected a whole number/);
    expect(fault({ num_key_value_heads: 3 })).to.match(/cannot be shared evenly/);
    expect(fault({ head_dim: 15 })).to.match(/even number/);
    expect(fault({ eos_token_id: 160 })).to.match(/token id 160 is outside/);
    expect(fault({ num_hidden_layers: 0, vocab_size: 'x' })).to.match(/num_hidden_layers.*vocab_size/);
  });

  it('refuses what is not an object', () => {
    expect(userError(() => parseConfig([], undefined, 'c')).place).to.equal('c');
    expect(userError(() => parseConfig(null, undefined, 'c')).place).to.equal('c');
  });
});
