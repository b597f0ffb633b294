/** Parts of a tokenizer.json that the library does otherwise are refused, by name. */
import { expect } from 'chai';
import { createTokenizer } from '../../src/checkpoint/tokenizer.js';
import type { Tokenizer } from '../../src/checkpoint/types.js';
import { userError } from '../model/support.js';

const VOCAB = { a: 0, b: 1, '▁': 2, '▁a': 3 };

function make(parts: object): Tokenizer {
  const json = { model: { type: 'BPE', vocab: VOCAB, merges: [['▁', 'a']] }, ...parts };
  return createTokenizer(json, {}, 8, 'tokenizer.json');
}

const split = (changes: object): object => ({
  pre_tokenizer: { type: 'Split', pattern: { Regex: 'a' }, behavior: 'Isolated', invert: false, ...changes },
});

describe('tokenizer parts', () => {
  const REFUSED: readonly (readonly [object, RegExp])[] = [
    [split({ behavior: 'MergedWithPrevious' }), /pre_tokenizer "Split" with behavior "MergedWithPrevious"/],
    [split({ behavior: 'Contiguous' }), /"Contiguous"/],
    [split({ invert: true }), /invert true/],
    [split({ pattern: { String: 'a' }, behavior: 'Removed' }), /"Removed" of a string/],
    [{ pre_tokenizer: { type: 'Metaspace', replacement: '▁', split: true } }, /"Metaspace" with split true/],
    [{ pre_tokenizer: { type: 'Metaspace', replacement: '▁' } }, /"Metaspace" with split null/],
    [{ pre_tokenizer: { type: 'Punctuation' } }, /pre_tokenizer "Punctuation"/],
    [{ pre_tokenizer: { type: 'Whitespace' } }, /"Whitespace"/],
    [{ pre_tokenizer: { type: 'BertPreTokenizer' } }, /"BertPreTokenizer"/],
    [{ pre_tokenizer: { type: 'FixedLength', length: 3 } }, /"FixedLength"/],
    [
      { pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true } },
      /"ByteLevel" with add_prefix_space true/,
    ],
    [
      {
        pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits' }, { type: 'UnicodeScripts' }] },
      },
      /"UnicodeScripts"/,
    ],
    [
      { normalizer: { type: 'Replace', pattern: { String: 'a' }, content: '$1' } },
      /"Replace" with content with a \$/,
    ],
    [{ normalizer: { type: 'Lowercase' } }, /normalizer "Lowercase"/],
    [{ added_tokens: [{ id: 4, content: 'xx', single_word: true }] }, /"xx" with single_word/],
    [{ post_processor: { type: 'BertProcessing' } }, /post_processor "BertProcessing"/],
    [
      { model: { type: 'BPE', vocab: VOCAB, merges: [], end_of_word_suffix: '</w>' } },
      /end_of_word_suffix "<\/w>"/,
    ],
  ];
  for (const [parts, message] of REFUSED) {
    it(`refuses ${JSON.stringify(parts).slice(0, 70)}`, () => {
      const error = userError(() => make(parts));
      expect(error.message).to.match(message);
      expect(error.place).to.equal('tokenizer.json');
    });
  }

  it('a split at spaces that the normalizer leaves none of does nothing, and is let by', () => {
    const gemma = {
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      pre_tokenizer: {
        ...{ type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
      },
    };
    expect(make(gemma).encode('b a')).to.deep.equal([1, 3]);
  });
});
