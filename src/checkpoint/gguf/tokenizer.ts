/**
 * The tokenizer inside a GGUF file → the tokenizer.json that says the same.
 *
 * The split pattern follows `tokenizer.ggml.pre`, as the original tokenizers have it. Byte-level BPE only: SentencePiece
 * vocabularies need another algorithm and are refused.
 */
import type { GgufMetadata } from './metadata.js';
import { GPT2_SPLIT, splitOn } from '../tokenizer.js';

/** Token types of ggml: tokens that are matched in the text as a whole. */
const CONTROL = 3;
const USER_DEFINED = 4;

const LLAMA3 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const QWEN2 = LLAMA3.replace(String.raw`\p{N}{1,3}`, String.raw`\p{N}`);

interface Flavour {
  /** Applied one after the other; each match becomes a piece of its own. */
  readonly splits: readonly string[];
  /** A piece that is in the vocabulary stays whole, whatever the merges say. */
  readonly ignoreMerges?: boolean;
  readonly nfc?: boolean;
}

const gpt2: Flavour = { splits: [GPT2_SPLIT] };
const llama3: Flavour = { splits: [LLAMA3], ignoreMerges: true };

const FLAVOURS: Readonly<Record<string, Flavour>> = {
  'gpt-2': gpt2,
  smollm: { splits: [String.raw`\p{N}`, GPT2_SPLIT] },
  'llama-bpe': llama3,
  'llama-v3': llama3,
  llama3,
  qwen2: { splits: [QWEN2], nfc: true },
};

/** The equivalent of a tokenizer.json. Throws UserError (place = the file) where the kind is not supported. */
export function ggufTokenizerJson(metadata: GgufMetadata): unknown {
  const model = metadata.string('tokenizer.ggml.model');
  if (model !== 'gpt2') {
    throw metadata.fault(
      `tokenizer model "${model}" is not supported`,
      'Supported: gpt2 (byte-level BPE). For a SentencePiece model use a checkpoint with a tokenizer.json.',
    );
  }
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  const flavour = flavourOf(metadata, tokens);
  const types = metadata.numbers('tokenizer.ggml.token_type');
  if (types.length !== tokens.length) {
    throw metadata.fault(`${tokens.length} tokens have ${types.length} token types`);
  }
  const ends = new Set(
    ['bos', 'eos', 'eot', 'eom'].map((name) => metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`)),
  );
  const added = tokens
    .map((content, id) => ({ id, content, type: types[id] }))
    .map((token) => ({ ...token, type: isControl(token, ends) ? CONTROL : token.type }))
    .filter(({ type, content }) => content !== '' && (type === CONTROL || type === USER_DEFINED));
  return {
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: metadata.strings('tokenizer.ggml.merges'),
      ignore_merges: flavour.ignoreMerges ?? false,
    },
    added_tokens: added.map(({ id, content, type }) => ({
      id,
      content,
      special: type === CONTROL,
      normalized: false,
    })),
    normalizer: flavour.nfc === true ? { type: 'NFC' } : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...flavour.splits.map(splitOn),
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
    post_processor: beginning(metadata, tokens),
    decoder: { type: 'ByteLevel' },
  };
}

/**
 * The split of `tokenizer.ggml.pre`. Files before May 2024 lack it, or say `default`, and no split can be guessed from that:
 * the family is then known by its vocabulary, or the file is refused.
 */
function flavourOf(metadata: GgufMetadata, tokens: readonly string[]): Flavour {
  const pre = metadata.optionalString(PRE);
  if (pre === undefined || pre === 'default') {
    const known = BY_VOCABULARY.find(
      ({ size, id, text }) => (size === undefined || tokens.length === size) && tokens[id] === text,
    );
    if (known !== undefined) return known.flavour;
    throw metadata.fault(
      `${PRE} is ${pre === undefined ? 'not given' : '"default"'}, and the vocabulary is not one that is known: how texts are split cannot be told`,
      'Files made before May 2024 lack the key. Take a newer file of the model, or its checkpoint with a tokenizer.json.',
    );
  }
  const flavour = Object.hasOwn(FLAVOURS, pre) ? FLAVOURS[pre] : undefined;
  if (flavour !== undefined) return flavour;
  throw metadata.fault(
    `pre-tokenizer "${pre}" is not supported`,
    `Supported: ${Object.keys(FLAVOURS).join(', ')}.`,
  );
}

const PRE = 'tokenizer.ggml.pre';

/** Vocabularies by a token that no other has at that place. */
const BY_VOCABULARY: readonly {
  readonly size?: number;
  readonly id: number;
  readonly text: string;
  readonly flavour: Flavour;
}[] = [
  { size: 128_256, id: 128_000, text: '<|begin_of_text|>', flavour: llama3 },
  { id: 151_644, text: '<|im_start|>', flavour: FLAVOURS['qwen2']! },
];

/** Some converters give control tokens the type of normal ones: they are known by their text, or by what they are for. */
function isControl(
  { id, content, type }: { readonly id: number; readonly content: string; readonly type: number | undefined },
  ends: ReadonlySet<number | undefined>,
): boolean {
  return type === CONTROL || (type !== USER_DEFINED && (ends.has(id) || /^<\|[^|<>\s]+\|>$/.test(content)));
}

/** Where no key says so, llama.cpp puts it before texts of Llama 3 alone, among the vocabularies that are read here. */
function addsBeginning(metadata: GgufMetadata, text: string): boolean {
  return metadata.optionalBoolean('tokenizer.ggml.add_bos_token') ?? text === '<|begin_of_text|>';
}

/** What puts the beginning token before a text, where the file asks for it. */
function beginning(metadata: GgufMetadata, tokens: readonly string[]): unknown {
  const id = metadata.optionalNumber('tokenizer.ggml.bos_token_id');
  const text = tokens[id ?? -1];
  if (text === undefined || !addsBeginning(metadata, text)) return null;
  const sequence = { Sequence: { id: 'A', type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: text, type_id: 0 } }, sequence],
    pair: [{ SpecialToken: { id: text, type_id: 0 } }, sequence, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { [text]: { id: text, ids: [id], tokens: [text] } },
  };
}

/** Texts of the tokens that begin and end a sequence, `''` where the file names none. */
export function ggufSpecialTokens(metadata: GgufMetadata): { bos: string; eos: string } {
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  const text = (name: string): string =>
    tokens[metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`) ?? -1] ?? '';
  return { bos: text('bos'), eos: text('eos') };
}

/** The settings that a tokenizer_config.json would have: a beginning token where the file asks for one. */
export function ggufTokenizerSettings(metadata: GgufMetadata): unknown {
  const { bos } = ggufSpecialTokens(metadata);
  return bos !== '' && addsBeginning(metadata, bos) ? { bos_token: bos } : {};
}
