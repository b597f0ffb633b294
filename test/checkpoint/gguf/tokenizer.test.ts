/** Tokenizers of GGUF files: ids against a slow reading of the vocabulary, splits, and what is refused. */
import { expect } from 'chai';
import fc from 'fast-check';
import { UserError } from '../../../src/base/errors.js';
import type { GgufValue } from '../../../src/checkpoint/gguf/cursor.js';
import { GgufMetadata } from '../../../src/checkpoint/gguf/metadata.js';
import { ggufTokenizerJson, ggufTokenizerSettings } from '../../../src/checkpoint/gguf/tokenizer.js';
import { createTokenizer } from '../../../src/checkpoint/tokenizer.js';
import type { Tokenizer } from '../../../src/checkpoint/types.js';
import { randomFrom } from '../../cache/support.js';

const [NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE] = [1, 2, 3, 4, 6];

type Piece = readonly [text: string, type: number, score: number];

const SPECIALS: readonly Piece[] = [
  ['<unk>', UNKNOWN, 0],
  ['<s>', CONTROL, 0],
  ['</s>', CONTROL, 0],
];
const BYTES: readonly Piece[] = Array.from({ length: 256 }, (_, byte) => [
  `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  BYTE,
  0,
]);

function metadataOf(pieces: readonly Piece[], more: Readonly<Record<string, GgufValue>> = {}): GgufMetadata {
  const values: Record<string, GgufValue> = {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': pieces.map(([text]) => text),
    'tokenizer.ggml.token_type': pieces.map(([, type]) => type),
    'tokenizer.ggml.scores': pieces.map(([, , score]) => score),
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.bos_token_id': 1,
    ...more,
  };
  return new GgufMetadata(new Map(Object.entries(values)), 'm.gguf');
}

function open(metadata: GgufMetadata): Tokenizer {
  return createTokenizer(ggufTokenizerJson(metadata), ggufTokenizerSettings(metadata), 1e6, 'm.gguf');
}

function refusal(metadata: GgufMetadata): string {
  try {
    open(metadata);
  } catch (error) {
    if (error instanceof UserError) return error.format();
    throw error;
  }
  throw new Error('nothing was refused');
}

/** As SentencePiece does it: the neighbours whose piece has the highest score, the leftmost of equal ones, until none is left. */
function joinPlainly(text: string, pieces: readonly Piece[]): number[] {
  const known = new Map(pieces.map(([piece, type, score], id) => [piece, { id, type, score }]));
  const symbols = Array.from(text);
  for (;;) {
    let best: number | undefined;
    let highest = -Infinity;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const piece = known.get(symbols[i]! + symbols[i + 1]!);
      if (piece?.type === NORMAL && piece.score > highest) [best, highest] = [i, piece.score];
    }
    if (best === undefined) break;
    symbols.splice(best, 2, symbols[best]! + symbols[best + 1]!);
  }
  return symbols.flatMap((symbol) => {
    const piece = known.get(symbol);
    return piece === undefined ? [...Buffer.from(symbol)].map((byte) => SPECIALS.length + byte) : [piece.id];
  });
}

/** Letters, and pieces that are made of two that are there. */
function randomVocabulary(seed: number): Piece[] {
  const random = randomFrom(seed);
  const texts = new Set(['▁', ...Array.from('abcdé😀')]);
  for (let i = 0; i < 60; i++) {
    const all = Array.from(texts);
    const text = all[Math.floor(random() * all.length)]! + all[Math.floor(random() * all.length)]!;
    if (Array.from(text).length <= 6) texts.add(text);
  }
  const scores = Array.from(texts).map((_, i) => -i);
  return [
    ...SPECIALS,
    ...BYTES,
    ...Array.from(texts).map((text, i): Piece => [
      text,
      NORMAL,
      Array.from(text).length === 1 ? -1e9 : scores[i]!,
    ]),
  ];
}

describe('SentencePiece of GGUF files', () => {
  it('joins pieces as SentencePiece does, and gives what it does not know as bytes', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.string({ unit: fc.constantFrom(...Array.from('abcd é😀x\n')), minLength: 1, maxLength: 40 }),
        (seed, text) => {
          const pieces = randomVocabulary(seed);
          const tokenizer = open(metadataOf(pieces));
          const ids = tokenizer.encode(text);
          expect(ids).to.deep.equal(joinPlainly(`▁${text.replaceAll(' ', '▁')}`, pieces));
          expect(tokenizer.decode(ids)).to.equal(text);
        },
      ),
      { numRuns: 300 },
    );
  });

  const letters = ['▁', 'a', 'b', '▁a', 'ab'].map((text, i): Piece => [text, NORMAL, -i]);
  const small = [...SPECIALS, ...BYTES, ...letters];
  const at = (text: string): number => small.findIndex(([piece]) => piece === text);

  it('puts no space in front where the file says so', () => {
    const tokenizer = open(metadataOf(small, { 'tokenizer.ggml.add_space_prefix': false }));
    expect(tokenizer.encode('ab a')).to.deep.equal([at('ab'), at('▁a')]);
    expect(tokenizer.decode([at('▁a'), at('b')])).to.equal(' ab');
  });

  it('begins with the beginning token, unless the file says that it does not', () => {
    expect(open(metadataOf(small)).encode('a', true)).to.deep.equal([1, at('▁a')]);
    const without = metadataOf(small, { 'tokenizer.ggml.add_bos_token': false });
    expect(open(without).encode('a', true)).to.deep.equal([at('▁a')]);
    expect(open(metadataOf(small)).bos).to.equal('<s>');
  });

  it('matches control tokens and those of users as a whole, with a space in front of what follows', () => {
    const pieces: Piece[] = [...small, ['<|end|>', CONTROL, 0], ['aaa', USER_DEFINED, 0]];
    const tokenizer = open(metadataOf(pieces));
    const last = pieces.length;
    expect(tokenizer.encode('b<|end|>aaab')).to.deep.equal([
      at('▁'),
      at('b'),
      last - 2,
      last - 1,
      at('▁'),
      at('b'),
    ]);
  });

  it('refuses scores that are missing or no numbers, and a part of the bytes', () => {
    expect(refusal(metadataOf(small, { 'tokenizer.ggml.scores': [1, 2] }))).to.match(
      new RegExp(`m.gguf.*${small.length} tokens have 2 scores`),
    );
    const bad = small.map(() => NaN);
    expect(refusal(metadataOf(small, { 'tokenizer.ggml.scores': bad }))).to.match(/scores.*no number/);
    expect(refusal(metadataOf(small.filter((_, i) => i !== 40)))).to.match(
      /255 byte tokens, expected all 256/,
    );
    const types = { 'tokenizer.ggml.token_type': [1] };
    expect(refusal(metadataOf(small, types))).to.match(/have 1 token types/);
  });

  it('refuses other kinds by name', () => {
    for (const model of ['bert', 't5', 'rwkv', 'plamo2']) {
      const message = refusal(metadataOf(small, { 'tokenizer.ggml.model': model }));
      expect(message).to.match(new RegExp(`"${model}" is not supported\n.*gpt2.*llama`));
    }
  });
});

describe('splits of byte-level BPE in GGUF files', () => {
  /** A vocabulary of the printable ASCII characters in which every word of letters may be joined: pieces are as long as splits. */
  function piecesOf(pre: string, text: string, words: readonly string[]): string[] {
    const characters = [...new Set(Array.from(text.replaceAll(' ', 'Ġ').replaceAll('\n', 'Ċ')))];
    const merges = new Set<string>();
    const tokens = new Set(characters);
    for (const word of words) {
      for (let i = 1; i < word.length; i++) {
        merges.add(`${word.slice(0, i)} ${word[i]!}`);
        tokens.add(word.slice(0, i + 1));
      }
    }
    const all = [...tokens];
    const metadata = new GgufMetadata(
      new Map<string, GgufValue>([
        ['tokenizer.ggml.model', 'gpt2'],
        ['tokenizer.ggml.pre', pre],
        ['tokenizer.ggml.tokens', all],
        ['tokenizer.ggml.token_type', all.map(() => NORMAL)],
        ['tokenizer.ggml.merges', [...merges]],
      ]),
      'm.gguf',
    );
    return open(metadata)
      .encode(text)
      .map((id) => all[id]!);
  }

  const CASES: readonly (readonly [pre: string, text: string, pieces: readonly string[]])[] = [
    ['gpt-2', "it's 1234 HelloWorld", ['it', "'s", 'Ġ1234', 'ĠHelloWorld']],
    ['smollm', "it's 1234", ['it', "'s", 'Ġ', '1', '2', '3', '4']],
    ['starcoder', '12 ab', ['1', '2', 'Ġab']],
    ['refact', '12 ab', ['1', '2', 'Ġab']],
    ['command-r', '12 ab', ['1', '2', 'Ġab']],
    ['llama-bpe', "IT'S 12345", ['IT', "'S", 'Ġ', '123', '45']],
    ['smaug-bpe', '12345', ['123', '45']],
    ['dbrx', '12345', ['123', '45']],
    ['glm4', '12345', ['123', '45']],
    ['qwen2', '12 ab', ['1', '2', 'Ġab']],
    ['tekken', "HelloWorld it's 12 ABCdef", ['Hello', 'World', 'Ġit', "'s", 'Ġ', '1', '2', 'ĠABCdef']],
    ['gpt-4o', "HelloWorld it's 1234", ['Hello', 'World', "Ġit's", 'Ġ', '123', '4']],
  ];
  for (const [pre, text, pieces] of CASES) {
    it(`${pre}: ${JSON.stringify(text)}`, () => {
      const joined = pieces.join('');
      // a vocabulary that would join the whole text, if nothing were split
      expect(piecesOf(pre, text, [...pieces, joined])).to.deep.equal(pieces);
    });
  }

  it('refuses a name that is not known', () => {
    const metadata = metadataOf([['a', NORMAL, 0]], {
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'poro-chat',
      'tokenizer.ggml.merges': [],
    });
    expect(refusal(metadata)).to.match(/"poro-chat" is not supported\n.*gpt-2, .*tekken/);
  });
});
