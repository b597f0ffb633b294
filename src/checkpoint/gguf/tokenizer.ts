/**
 * The tokenizer inside a GGUF file → the tokenizer.json that says the same.
 *
 * Decides the split pattern by `tokenizer.ggml.pre`, as the original tokenizers have it. Byte-level BPE only:
 * SentencePiece vocabularies need another algorithm and are refused.
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
  default: gpt2,
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
  const pre = metadata.optionalString('tokenizer.ggml.pre') ?? 'default';
  const flavour = Object.hasOwn(FLAVOURS, pre) ? FLAVOURS[pre] : undefined;
  if (flavour === undefined) {
    throw metadata.fault(
      `pre-tokenizer "${pre}" is not supported`,
      `Supported: ${Object.keys(FLAVOURS).join(', ')}.`,
    );
  }
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  const types = metadata.numbers('tokenizer.ggml.token_type');
  if (types.length !== tokens.length) {
    throw metadata.fault(`${tokens.length} tokens have ${types.length} token types`);
  }
  const added = tokens
    .map((content, id) => ({ id, content, type: types[id] }))
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
    post_processor: null,
    decoder: { type: 'ByteLevel' },
  };
}

/** Texts of the tokens that begin and end a sequence, `''` where the file names none. */
export function ggufSpecialTokens(metadata: GgufMetadata): { bos: string; eos: string } {
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  const text = (name: string): string =>
    tokens[metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`) ?? -1] ?? '';
  return { bos: text('bos'), eos: text('eos') };
}
