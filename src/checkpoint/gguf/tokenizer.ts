/**
 * The tokenizer inside a GGUF file → the tokenizer.json that says the same.
 *
 * Two kinds are read: byte-level BPE, and SentencePiece vocabularies whose pieces have scores.
 */
import { beginsByDefault, byteLevelParts } from './byte-level.js';
import type { GgufMetadata } from './metadata.js';
import { sentencePieceParts } from './sentence-piece.js';

/** Token types of ggml: what is unknown, and tokens that are matched in the text as a whole. */
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;

/** The equivalent of a tokenizer.json. Throws UserError (place = the file) where the kind is not supported. */
export function ggufTokenizerJson(metadata: GgufMetadata): unknown {
  const kind = kindOf(metadata);
  const tokens = metadata.strings('tokenizer.ggml.tokens');
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
    ...(kind === 'gpt2' ? byteLevelParts(metadata, tokens) : sentencePieceParts(metadata, tokens, types)),
    added_tokens: added.map(({ id, content, type }) => ({
      id,
      content,
      special: type === CONTROL,
      normalized: false,
    })),
    post_processor: beginning(metadata, tokens),
  };
}

/** `gpt2`: byte-level BPE; `llama`: SentencePiece. */
function kindOf(metadata: GgufMetadata): 'gpt2' | 'llama' {
  const model = metadata.string('tokenizer.ggml.model');
  if (model === 'gpt2' || model === 'llama') return model;
  throw metadata.fault(
    `tokenizer model "${model}" is not supported`,
    'Supported: gpt2 (byte-level BPE) and llama (SentencePiece).',
  );
}

/** Some converters give control tokens the type of normal ones: they are known by their text, or by what they are for. */
function isControl(
  { id, content, type }: { readonly id: number; readonly content: string; readonly type: number | undefined },
  ends: ReadonlySet<number | undefined>,
): boolean {
  return (
    type === CONTROL ||
    (type !== USER_DEFINED && (type === UNKNOWN || ends.has(id) || /^<\|[^|<>\s]+\|>$/.test(content)))
  );
}

/** Where no key says so, llama.cpp puts it before texts of SentencePiece models, of Llama 3 and of Tekken. */
function addsBeginning(metadata: GgufMetadata): boolean {
  const told = metadata.optionalBoolean('tokenizer.ggml.add_bos_token');
  return told ?? (kindOf(metadata) === 'llama' || beginsByDefault(metadata));
}

/** What puts the beginning token before a text, where the file asks for it. */
function beginning(metadata: GgufMetadata, tokens: readonly string[]): unknown {
  const id = metadata.optionalNumber('tokenizer.ggml.bos_token_id');
  const text = tokens[id ?? -1];
  if (text === undefined || !addsBeginning(metadata)) return null;
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
  return bos !== '' && addsBeginning(metadata) ? { bos_token: bos } : {};
}
