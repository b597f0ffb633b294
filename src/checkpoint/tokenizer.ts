/**
 * Text to token ids and back, by `@huggingface/tokenizers`.
 *
 * Special tokens are added on request, those written in the text recognised; what the library does otherwise than the
 * original is mended here.
 */
import { createHash } from 'node:crypto';
import { Tokenizer as UntypedLibrary } from '@huggingface/tokenizers';
import * as z from 'zod';
import { UserError } from '../base/errors.js';
import { validate } from '../base/json.js';
import { endIdsOf } from './end-tokens.js';
import { withinTime } from './time-limit.js';
import { expectExactParts, withoutIdleSplits } from './tokenizer-parts.js';
import type { Tokenizer } from './types.js';

/** What is used of the library, whose own declarations do not resolve under NodeNext. */
interface LibraryTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  decode(ids: readonly number[]): string;
  id_to_token(id: number): string | undefined;
}
const Library = UntypedLibrary as unknown as new (definition: object, settings: object) => LibraryTokenizer;

/** The fields of a tokenizer.json that are checked here; the library reads the rest. */
const tokenizerSchema = z.looseObject({
  model: z.looseObject({ type: z.string().optional(), vocab: z.unknown() }),
  added_tokens: z
    .array(
      z.looseObject({
        id: z.int().nonnegative(),
        content: z.string().min(1),
        special: z.boolean().optional(),
      }),
    )
    .default([]),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
});

const patternSchema = z.union([z.object({ Regex: z.string() }), z.object({ String: z.string() })]);

const preTokenizerSchema = z.looseObject({
  type: z.string(),
  pretokenizers: z.array(z.unknown()).optional(),
  individual_digits: z.boolean().nullish(),
  use_regex: z.boolean().nullish(),
  add_prefix_space: z.boolean().nullish(),
});

/** The split that byte-level BPE has had since GPT-2. */
export const GPT2_SPLIT = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** A pre-tokenizer that makes each match of a regular expression a piece of its own. */
export function splitOn(Regex: string): unknown {
  return { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
}

const settingsSchema = z.looseObject({ clean_up_tokenization_spaces: z.boolean().nullish() });

/** A token of tokenizer_config.json: its text, or an object that holds it. */
const tokenSchema = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const specialsSchema = z.looseObject({ bos_token: tokenSchema, eos_token: tokenSchema });

/**
 * A tokenizer from the content of tokenizer.json and tokenizer_config.json.
 *
 * @param json parsed tokenizer.json, untrusted
 * @param settings parsed tokenizer_config.json, `{}` where there is none
 * @param vocabulary V: ids that the model has no embedding for are refused
 * @param place file for errors
 */
export function createTokenizer(
  json: unknown,
  settings: unknown,
  vocabulary: number,
  place: string,
): Tokenizer {
  const definition = validate(tokenizerSchema, json, place);
  const { clean_up_tokenization_spaces } = validate(settingsSchema, settings, place);
  if (definition.model.type !== undefined && definition.model.type !== 'BPE') {
    throw new UserError(`tokenizer model "${definition.model.type}" is not supported`, {
      place,
      hint: 'Supported: BPE.',
    });
  }
  for (const part of [definition.normalizer, definition.pre_tokenizer, definition.decoder])
    checkPatterns(part, place);
  const acting = {
    ...definition,
    pre_tokenizer: withoutIdleSplits(definition.pre_tokenizer, definition.normalizer),
  };
  expectExactParts(acting, place);
  const library = explain(place, () => {
    const exact = { ...acting, pre_tokenizer: exactPreTokenizer(acting.pre_tokenizer) };
    return new Library(exact, { clean_up_tokenization_spaces: clean_up_tokenization_spaces ?? false });
  });
  const { bos, eos } = specialTokens(settings, place);
  const controls = definition.added_tokens.filter((t) => t.special === true);
  const eosId = definition.added_tokens.find(({ content }) => content === eos)?.id;
  const specialIds = new Set(controls.map((t) => t.id));
  return {
    encode: (text, special = false) => {
      const { ids } = explain(place, () =>
        withinTime(text.length, () => library.encode(text, { add_special_tokens: special })),
      );
      const stray = ids.find((id) => id >= vocabulary);
      if (stray !== undefined) {
        throw new UserError(`gives token ${stray}, but the model has embeddings for ${vocabulary} tokens`, {
          place,
        });
      }
      return ids;
    },
    decode: (ids) => {
      // Ids without a token are the padding of an embedding matrix.
      const words = ids.filter((id) => !specialIds.has(id) && library.id_to_token(id) !== undefined);
      return words.length === 0
        ? ''
        : explain(place, () => withinTime(words.length, () => library.decode(words)));
    },
    controls: controls.map(({ content }) => content),
    bos,
    eosId,
    endIds: endIdsOf(eosId, controls),
    digest: createHash('sha256')
      .update(JSON.stringify([json, settings]))
      .digest('hex'),
  };
}

/** `bos_token` and `eos_token` as tokenizer_config.json names them. */
export function specialTokens(settings: unknown, place: string): { bos: string; eos: string } {
  const { bos_token, eos_token } = validate(specialsSchema, settings, place);
  const text = (token: typeof bos_token): string =>
    typeof token === 'string' ? token : (token?.content ?? '');
  return { bos: text(bos_token), eos: text(eos_token) };
}

/** Characters; tokenizers have patterns of a few hundred, and a hundred times as many can take a gigabyte to compile. */
const MAX_PATTERN = 10_000;

/** Throws UserError on a missing pattern, one of a kind that the library would pass over, or one that is too long. */
function checkPatterns(value: unknown, place: string): void {
  if (typeof value !== 'object' || value === null) return;
  const { type, pattern } = value as { type?: unknown; pattern?: unknown };
  if (type === 'Split' || type === 'Replace') {
    const found = patternSchema.safeParse(pattern).data;
    if (found === undefined)
      throw new UserError(`${type}: expected a pattern, {"Regex": …} or {"String": …}`, { place });
    const { length } = 'Regex' in found ? found.Regex : found.String;
    if (length > MAX_PATTERN) {
      throw new UserError(
        `${type}: expected a pattern of at most ${MAX_PATTERN} characters, found ${length}`,
        { place },
      );
    }
  }
  for (const entry of Object.values(value)) checkPatterns(entry, place);
}

/** The library's `Digits` and `ByteLevel` splits as exact `Split`s, at any depth of `Sequence`. */
function exactPreTokenizer(value: unknown): unknown {
  const node = preTokenizerSchema.safeParse(value).data;
  if (node?.type === 'Sequence' && node.pretokenizers !== undefined) {
    return { ...node, pretokenizers: node.pretokenizers.map(exactPreTokenizer) };
  }
  if (node?.type === 'Digits') {
    return splitOn(node.individual_digits === true ? String.raw`\p{N}` : String.raw`\p{N}+`);
  }
  if (node?.type === 'ByteLevel' && node.use_regex !== false && node.add_prefix_space !== true) {
    return { type: 'Sequence', pretokenizers: [splitOn(GPT2_SPLIT), { ...node, use_regex: false }] };
  }
  return value;
}

function explain<T>(place: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new UserError(`the tokenizer fails: ${(cause as Error).message}`, { place, cause });
  }
}
