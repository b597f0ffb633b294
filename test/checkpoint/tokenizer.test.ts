import { expect } from 'chai';
import { GgufMetadata } from '../../src/checkpoint/gguf/metadata.js';
import type { GgufValue } from '../../src/checkpoint/gguf/cursor.js';
import { ggufSpecialTokens, ggufTokenizerJson } from '../../src/checkpoint/gguf/tokenizer.js';
import { createTokenizer, specialTokens } from '../../src/checkpoint/tokenizer.js';
import type { Tokenizer } from '../../src/checkpoint/types.js';
import { userError } from '../model/support.js';

/** A byte-level BPE over a few bytes. `Ġ` is a space, `Ċ` a newline. */
const VOCABULARY = ['<s>', '</s>', 'a', 'b', 'c', 'Ġ', 'Ċ', '1', '2', 'ab', 'Ġab', '12', '<tool>', 'Â', '²'];
const definition = {
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(VOCABULARY.map((token, id) => [token, id])),
    merges: ['a b', 'Ġ ab', '1 2'],
  },
  added_tokens: [
    { id: 0, content: '<s>', special: true },
    { id: 1, content: '</s>', special: true },
    { id: 12, content: '<tool>', special: false },
  ],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel' },
};
const make = (changes: object = {}, settings: unknown = {}): Tokenizer =>
  createTokenizer({ ...definition, ...changes }, settings, VOCABULARY.length, 'tokenizer.json');
const tokens = (tokenizer: Tokenizer, text: string): string[] =>
  tokenizer.encode(text).map((id) => VOCABULARY[id]!);

describe('tokenizer', () => {
  it('splits and merges', () => {
    expect(tokens(make(), 'ab abc 12')).to.deep.equal(['ab', 'Ġab', 'c', 'Ġ', '12']);
    expect(make().encode('')).to.deep.equal([]);
  });

  it('adds no special tokens but recognises those in the text', () => {
    const post_processor = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
    };
    const text = 'ab</s><tool>c';
    expect(tokens(make(), text)).to.deep.equal(['ab', '</s>', '<tool>', 'c']);
    expect(tokens(make({ post_processor }), text)).to.deep.equal(['ab', '</s>', '<tool>', 'c']);
    expect(make({ post_processor }).encode('ab', true)).to.deep.equal([0, ...make().encode('ab')]);
    expect(make().encode('ab', true)).to.deep.equal(make().encode('ab'));
  });

  it('knows the end token that its settings name', () => {
    expect(make({}, { eos_token: '</s>' }).eosId).to.equal(1);
    expect(make({}, { eos_token: { content: '</s>' } }).eosId).to.equal(1);
    expect(make({}, { eos_token: 'unknown' }).eosId).to.equal(undefined);
    expect(make().eosId).to.equal(undefined);
  });

  it('decodes without special tokens and without tidying spaces', () => {
    const tokenizer = make();
    expect(tokenizer.decode([0, 9, 10, 12, 5, 4, 1])).to.equal('ab ab<tool> c');
    expect(tokenizer.decode([])).to.equal('');
    expect(tokenizer.decode([0, 1])).to.equal('');
    expect(tokenizer.decode([9, 999])).to.equal('ab');
  });

  it('splits digits of every script one by one', () => {
    const pre_tokenizer = {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
      ],
    };
    expect(tokens(make({ pre_tokenizer }), '12')).to.deep.equal(['1', '2']);
    const merges = [...definition.model.merges, 'Ġ Â', 'Â ²', 'ĠÂ ²'];
    const vocab = { ...definition.model.vocab, 'Â²': 15, 'ĠÂ²': 16, ĠÂ: 17 };
    const model = { ...definition.model, merges, vocab };
    const encode = (pre: unknown): number[] =>
      createTokenizer({ ...definition, model, pre_tokenizer: pre }, {}, 18, 't').encode(' ²');
    expect(encode(pre_tokenizer)).to.deep.equal([5, 15]);
    expect(encode(definition.pre_tokenizer)).to.deep.equal([16]);
  });

  it('has a digest of all that it was made from', () => {
    expect(make().digest)
      .to.match(/^[0-9a-f]{64}$/)
      .and.to.equal(make().digest);
    expect(make({}, { x: 1 }).digest).not.to.equal(make().digest);
    expect(make({ added_tokens: [] }).digest).not.to.equal(make().digest);
  });

  it('refuses what it cannot read', () => {
    expect(userError(() => make({ model: { type: 'Unigram', vocab: [] } })).message).to.match(/"Unigram"/);
    expect(userError(() => make({ model: undefined })).message).to.match(/model/);
    expect(userError(() => make({ added_tokens: [{ id: -1, content: 'x' }] })).message).to.match(
      /added_tokens/,
    );
    expect(userError(() => make({ pre_tokenizer: { type: 'Magic' } })).message).to.match(
      /pre_tokenizer "Magic" is not supported/,
    );
    expect(userError(() => createTokenizer([], {}, 3, 't')).place).to.equal('t');
  });

  it('refuses a pattern that the library would pass over, or would compile for long', () => {
    const split = (pattern: unknown): object => ({
      pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern, behavior: 'Isolated' }] },
    });
    const long = '(?!'.repeat(5000);
    for (const pattern of [{}, 'a', null, { Regex: 1 }, undefined, { Regex: long }, { String: long }]) {
      expect(userError(() => make(split(pattern))).message).to.match(/^Split: expected a pattern/);
    }
    expect(make(split({ String: 'b' })).encode('ab')).to.deep.equal([2, 3]);
  });

  it('stops at a regular expression that would try for ever', () => {
    const split = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated' };
    const tokenizer = make({ pre_tokenizer: split });
    expect(userError(() => tokenizer.encode(`${'a'.repeat(40)}!`)).message).to.match(
      /^the tokenizer fails: it does not end/,
    );
    expect(tokenizer.encode('aa')).to.deep.equal([2, 2]);
  });

  it('refuses an id for which the model has no embedding', () => {
    const small = createTokenizer(definition, {}, 10, 't');
    expect(small.encode('ab')).to.deep.equal([9]);
    expect(userError(() => small.encode(' ab')).message).to.match(/gives token 10, but .* 10 tokens/);
  });

  it('reads the special tokens of tokenizer_config.json in both forms', () => {
    expect(specialTokens({ bos_token: '<s>', eos_token: { content: '</s>' } }, 't')).to.deep.equal({
      bos: '<s>',
      eos: '</s>',
    });
    expect(specialTokens({ bos_token: null }, 't')).to.deep.equal({ bos: '', eos: '' });
  });
});

describe('tokenizer of a GGUF', () => {
  const metadata = (changes: Record<string, GgufValue> = {}): GgufMetadata =>
    new GgufMetadata(
      new Map<string, GgufValue>(
        Object.entries({
          'tokenizer.ggml.model': 'gpt2',
          'tokenizer.ggml.pre': 'gpt-2',
          'tokenizer.ggml.tokens': VOCABULARY,
          'tokenizer.ggml.token_type': VOCABULARY.map((t) => (t === '<tool>' ? 4 : /^<.+>$/.test(t) ? 3 : 1)),
          'tokenizer.ggml.merges': definition.model.merges,
          'tokenizer.ggml.bos_token_id': 0,
          ...changes,
        }),
      ),
      'm.gguf',
    );
  const make = (pre: string): Tokenizer =>
    createTokenizer(
      ggufTokenizerJson(metadata({ 'tokenizer.ggml.pre': pre })),
      {},
      VOCABULARY.length,
      'm.gguf',
    );

  it('is the tokenizer that the same tokenizer.json gives', () => {
    const text = '<s>ab abc 12\n<tool>²</s>';
    const fromJson = createTokenizer(definition, {}, VOCABULARY.length, 't').encode(text);
    expect(make('gpt-2').encode(text)).to.deep.equal(fromJson);
    expect(make('gpt-2').decode(fromJson)).to.equal('ab abc 12\n<tool>²');
  });

  it('splits digits as each flavour does', () => {
    const digits = (pre: string): string[] => tokens(make(pre), 'a12');
    expect(digits('gpt-2')).to.deep.equal(['a', '12']);
    expect(digits('smollm')).to.deep.equal(['a', '1', '2']);
    expect(digits('qwen2')).to.deep.equal(['a', '1', '2']);
    expect(digits('llama-bpe')).to.deep.equal(['a', '12']);
  });

  it('names the special tokens', () => {
    expect(ggufSpecialTokens(metadata())).to.deep.equal({ bos: '<s>', eos: '' });
  });

  it('refuses other kinds by name', () => {
    const fault = (changes: Record<string, GgufValue>): string =>
      userError(() => ggufTokenizerJson(metadata(changes))).message;
    expect(fault({ 'tokenizer.ggml.model': 'bert' })).to.match(/tokenizer model "bert" is not supported/);
    expect(fault({ 'tokenizer.ggml.pre': 'viking' })).to.match(/pre-tokenizer "viking" is not supported/);
    expect(fault({ 'tokenizer.ggml.pre': 'constructor' })).to.match(/"constructor" is not supported/);
    expect(fault({ 'tokenizer.ggml.token_type': [1] })).to.match(/15 tokens have 1 token types/);
  });
});
