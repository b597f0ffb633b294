/** Model files as people have them: what contradicts itself is refused or said, what is missing is found elsewhere. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { possibleTensors } from '../../src/checkpoint/check-weights.js';
import { configIdentity } from '../../src/checkpoint/config-identity.js';
import { parseConfig } from '../../src/checkpoint/config.js';
import { openModelFiles } from '../../src/checkpoint/load.js';
import type { ModelFiles } from '../../src/checkpoint/types.js';
import { buildSegments } from '../../src/runner/sample/prompt.js';
import type { Sample } from '../../src/tasks/types.js';
import {
  f32,
  safetensorsParts,
  userError,
  userErrorAsync,
  useTempFolder,
  writeSafetensors,
  type RawTensor,
} from '../model/support.js';

const CONFIG = {
  ...{ model_type: 'llama', architectures: ['LlamaForCausalLM'], num_hidden_layers: 1, hidden_size: 8 },
  ...{ num_attention_heads: 1, intermediate_size: 8, vocab_size: 12, max_position_embeddings: 64 },
};
const TOKENS = ['a', 'b', 'c', '<bos>', '<eos>', '<eot>', '<|im_end|>'];
const TOKENIZER = {
  model: { type: 'BPE', vocab: Object.fromEntries(TOKENS.map((text, id) => [text, id])), merges: [] },
  added_tokens: TOKENS.slice(3).map((content, i) => ({ id: 3 + i, content, special: true })),
};
const TEMPLATE = '{{ bos_token }}{{ messages[0].content }}';

describe('model files as people have them', () => {
  const temp = useTempFolder();
  const write = (file: string, content: unknown): void => {
    writeFileSync(temp(file), JSON.stringify(content));
  };

  /** A folder of a model of one layer; tensors that are not given are zeros. */
  function checkpoint(
    config: object = {},
    settings: object = { bos_token: '<bos>', eos_token: '<eos>' },
    tensors: Readonly<Record<string, number>> = {},
  ): string {
    write('config.json', { ...CONFIG, ...config });
    write('tokenizer.json', TOKENIZER);
    write('tokenizer_config.json', settings);
    const parsed = parseConfig({ ...CONFIG, ...config, rope_scaling: undefined }, undefined, 'c');
    const written: Record<string, RawTensor> = {};
    for (const [name, shape] of possibleTensors(parsed)) {
      if (name === 'lm_head.weight' && parsed.tiedHead && !Object.hasOwn(tensors, name)) continue;
      const count = shape.reduce((a, b) => a * b, 1);
      written[name] = f32(shape, new Array<number>(count).fill(tensors[name] ?? 0));
    }
    const { header, data } = safetensorsParts(written);
    writeSafetensors(temp('model.safetensors'), header, data);
    return temp();
  }

  async function open(...parts: Parameters<typeof checkpoint>): Promise<ModelFiles> {
    const files = await openModelFiles(checkpoint(...parts));
    files.weights.close();
    return files;
  }

  const sample: Sample = {
    context: 'ab',
    questions: [{ question: '', answerPrefix: 'c', answers: ['a'], maxNewTokens: 1 }],
  };

  describe('RoPE in two places', () => {
    const fault = (changes: object): string =>
      userError(() => parseConfig({ ...CONFIG, ...changes }, undefined, 'c')).message;

    it('must say the same', () => {
      const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 };
      const parameters = { rope_type: 'default', rope_theta: 10000 };
      expect(fault({ rope_parameters: parameters, rope_scaling: yarn })).to.match(
        /rope_parameters and rope_scaling differ: rope_type is "default" and "yarn"/,
      );
      expect(fault({ rope_theta: 10000, rope_parameters: { ...parameters, rope_theta: 500000 } })).to.equal(
        'rope_theta is 10000, and 500000 among the RoPE fields',
      );
      expect(fault({ partial_rotary_factor: 0.5, rope_parameters: { partial_rotary_factor: 1 } })).to.match(
        /partial_rotary_factor is 0.5, and 1/,
      );
      expect(fault({ rope_scaling: { factor: 4 } })).to.match(/factor 4 and no type/);
      expect(fault({ rope_scaling: { type: 'linear', rope_type: 'dynamic', factor: 4 } })).to.match(
        /rope_type is "dynamic" and type is "linear"/,
      );
      const nested = { full_attention: parameters, sliding_attention: parameters };
      expect(fault({ rope_parameters: nested })).to.match(/one per type of layer/);
      expect(fault({ rope_parameters: { chunked_attention: parameters } })).to.match(/"chunked_attention"/);
    });

    it('is read from either', () => {
      const theta = (changes: object): number | undefined =>
        parseConfig({ ...CONFIG, ...changes }, undefined, 'c').ropes[0]?.theta;
      expect(theta({ rope_scaling: { rope_type: 'default', rope_theta: 500000 } })).to.equal(500000);
      expect(theta({ rope_parameters: { rope_theta: 500000 }, rope_theta: 500000 })).to.equal(500000);
      const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16 };
      const both = { rope_parameters: { ...yarn, rope_theta: 100 }, rope_scaling: yarn };
      expect(theta(both)).to.equal(100);
      const digest = (changes: object): unknown =>
        configIdentity(parseConfig({ ...CONFIG, ...changes }, undefined, 'c'));
      expect(digest(both)).not.to.deep.equal(digest({ rope_theta: 100 }));
    });
  });

  it('a window that no layer has is computed, one that a layer lacks is refused', () => {
    const qwen = { model_type: 'qwen2', architectures: null, use_sliding_window: true, sliding_window: 4 };
    const windows = (changes: object): readonly unknown[] =>
      parseConfig({ ...CONFIG, ...qwen, ...changes }, undefined, 'c').windows;
    expect(windows({ max_window_layers: 1 })).to.deep.equal([undefined]);
    expect(windows({ max_window_layers: 0 })).to.deep.equal([4]);
    expect(userError(() => windows({ max_window_layers: 0, sliding_window: null })).message).to.match(
      /layer 0 slides, but sliding_window is not given/,
    );
  });

  it('an architecture that is not known is named before its fields are looked at', () => {
    const error = userError(() => parseConfig({ model_type: 'gpt2', n_embd: 8 }, undefined, 'c'));
    expect(error.message).to.equal('architecture "gpt2" is not supported');
    expect(error.hint).to.match(/^Supported: llama, mistral, .*gemma3_text/);
  });

  it('a head beside tie_word_embeddings counts where it is another matrix', async () => {
    const tied = { tie_word_embeddings: true };
    const own = await open(tied, undefined, { 'lm_head.weight': 1 });
    expect(own.config.tiedHead).to.equal(false);
    expect(own.notes).to.include(
      'tie_word_embeddings is true, but lm_head.weight is another matrix: it is used',
    );
    const same = await open(tied, undefined, { 'lm_head.weight': 0 });
    expect(same.config.tiedHead).to.equal(true);
    expect(same.notes!.join()).not.to.match(/lm_head/);
  });

  it('without a chat template the beginning token stands before the context', async () => {
    const { contextIds, suffixIds } = buildSegments(await open(), sample, 'compressed');
    expect(contextIds).to.deep.equal([3, 0, 1]);
    expect(suffixIds.at(-1)).to.equal(2);
    expect(buildSegments(await open({}, {}), sample, 'compressed').contextIds).to.deep.equal([0, 1]);
  });

  it('special_tokens_map.json names what tokenizer_config.json does not', async () => {
    write('special_tokens_map.json', { bos_token: { content: '<bos>' }, eos_token: '<eot>' });
    const { chatTemplate, config } = await open({ eos_token_id: 4 }, { chat_template: TEMPLATE });
    expect(chatTemplate!.render('a')).to.equal('<bos>a');
    expect(config.eosIds).to.deep.equal([4, 5, 6]);
    const own = await open({}, { chat_template: TEMPLATE, bos_token: '<eos>', eos_token: '<eos>' });
    expect(own.chatTemplate!.render('a')).to.equal('<eos>a');
  });

  it('answers end with every token that a file names, or that is known by its text', async () => {
    write('generation_config.json', { eos_token_id: [4] });
    const files = await open({ eos_token_id: 2 }, { eos_token: '<eot>' });
    expect(files.config.eosIds).to.deep.equal([2, 4, 5, 6]);
  });

  it('says where nothing ends an answer, and that an adapter is not applied', async () => {
    write('adapter_config.json', {});
    checkpoint({}, {});
    const bare = TOKENIZER.added_tokens.filter(({ content }) => content !== '<|im_end|>');
    write('tokenizer.json', { ...TOKENIZER, added_tokens: bare });
    const files = await openModelFiles(temp());
    files.weights.close();
    expect(files.notes).to.deep.equal([
      'no file names a token that ends an answer: answers run to their longest',
      'the adapter beside the weights (adapter_config.json) is not applied',
    ]);
  });

  it('a tensor that the index does not list is refused', async () => {
    checkpoint();
    mkdirSync(temp('sharded'));
    const { header, data } = safetensorsParts({ a: f32([1], [1]), b: f32([1], [2]) });
    writeSafetensors(join(temp('sharded'), 'one.safetensors'), header, data);
    write('sharded/model.safetensors.index.json', { weight_map: { a: 'one.safetensors' } });
    for (const file of ['config.json', 'tokenizer.json']) {
      writeFileSync(join(temp('sharded'), file), JSON.stringify(file === 'config.json' ? CONFIG : TOKENIZER));
    }
    const error = await userErrorAsync(() => openModelFiles(temp('sharded')));
    expect(error.message).to.match(/tensor "b" is not listed in model.safetensors.index.json/);
  });

  it('a missing tokenizer.json is said so', async () => {
    checkpoint();
    const { rmSync } = await import('node:fs');
    rmSync(temp('tokenizer.json'));
    const error = await userErrorAsync(() => openModelFiles(temp()));
    expect(error.place).to.equal(temp('tokenizer.json'));
    expect(error.hint).to.match(/tokenizer.model and vocab.json are not read/);
  });
});
