/**
 * Byte-level BPE of GGUF files: how a text is split before pairs are merged.
 *
 * The split follows `tokenizer.ggml.pre`, as the original tokenizers have it; a name that is not known is refused, as any guess
 * gives other ids.
 */
import type { GgufMetadata } from './metadata.js';
import { GPT2_SPLIT, splitOn } from '../tokenizer.js';

const LLAMA3 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const QWEN2 = LLAMA3.replace(String.raw`\p{N}{1,3}`, String.raw`\p{N}`);

const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;

/** Words end where small letters are followed by a capital. */
function byCase(suffix: string, digits: string): string {
  const start = String.raw`[^\r\n\p{L}\p{N}]?`;
  return [
    `${start}${UPPER}*${LOWER}+${suffix}`,
    `${start}${UPPER}+${LOWER}*${suffix}`,
    String.raw`${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  ].join('|');
}

const TEKKEN = byCase('', String.raw`\p{N}`);
const GPT4O = byCase("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", String.raw`\p{N}{1,3}`);

interface Flavour {
  /** Applied one after the other; each match becomes a piece of its own. */
  readonly splits: readonly string[];
  /** A piece that is in the vocabulary stays whole, whatever the merges say. */
  readonly ignoreMerges?: boolean;
  readonly nfc?: boolean;
  /** Texts begin with the beginning token where no key says otherwise. */
  readonly begins?: boolean;
}

const gpt2: Flavour = { splits: [GPT2_SPLIT] };
const llama3: Flavour = { splits: [LLAMA3], ignoreMerges: true, begins: true };
const singleDigits: Flavour = { splits: [String.raw`\p{N}`, GPT2_SPLIT] };
const glm4: Flavour = { splits: [LLAMA3] };
const qwen2: Flavour = { splits: [QWEN2], nfc: true };

const FLAVOURS: Readonly<Record<string, Flavour>> = {
  'gpt-2': gpt2,
  'phi-2': gpt2,
  olmo: { ...gpt2, nfc: true },
  smollm: singleDigits,
  starcoder: singleDigits,
  refact: singleDigits,
  'command-r': { ...singleDigits, nfc: true },
  'llama-bpe': llama3,
  'llama-v3': llama3,
  llama3,
  'smaug-bpe': { splits: [LLAMA3], ignoreMerges: true },
  dbrx: { splits: [LLAMA3] },
  glm4,
  'chatglm-bpe': glm4,
  qwen2,
  'deepseek-r1-qwen': qwen2,
  tekken: { splits: [TEKKEN], ignoreMerges: true, begins: true },
  'gpt-4o': { splits: [GPT4O] },
};

const PRE = 'tokenizer.ggml.pre';

/** Vocabularies by a token that no other has at that place. */
const BY_VOCABULARY: readonly {
  readonly size?: number;
  readonly id: number;
  readonly text: string;
  readonly flavour: Flavour;
}[] = [
  { size: 128_256, id: 128_000, text: '<|begin_of_text|>', flavour: llama3 },
  { id: 151_644, text: '<|im_start|>', flavour: qwen2 },
];

/** Model, normalizer, splits and decoder of a tokenizer.json. */
export function byteLevelParts(metadata: GgufMetadata, tokens: readonly string[]): object {
  const flavour = flavourOf(metadata, tokens);
  return {
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: metadata.strings('tokenizer.ggml.merges'),
      ignore_merges: flavour.ignoreMerges ?? false,
    },
    normalizer: flavour.nfc === true ? { type: 'NFC' } : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...flavour.splits.map(splitOn),
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
    decoder: { type: 'ByteLevel' },
  };
}

/** Whether texts begin with the beginning token where no key says so. */
export function beginsByDefault(metadata: GgufMetadata): boolean {
  return flavourOf(metadata, metadata.strings('tokenizer.ggml.tokens')).begins ?? false;
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
