/**
 * From a sample to the two token segments: what is prefilled and compressed, and what follows uncompressed.
 *
 * The protocol of the published tables: the chat template is rendered around the context and split behind it; question,
 * rest of the template and answer prefix are one segment; only the context is ever cut, in its middle.
 */
import { UserError } from '../../base/errors.js';
import type { ModelFiles } from '../../checkpoint/types.js';
import type { QuestionMode } from '../../experiment/types.js';
import type { Question, Sample } from '../../tasks/types.js';

export interface Segments {
  /** Prefilled and compressed. */
  readonly contextIds: readonly number[];
  /** Fed to the compressed cache before generation. */
  readonly suffixIds: readonly number[];
  /** The context was cut to the model's limit. */
  readonly truncated: boolean;
}

/** Tokens without which there is nothing to compress. */
const LEAST_CONTEXT = 2;

/** Stands for the end of the user's message in a rendered chat. */
const MARKER = '\u2402end-of-context\u2403';

/**
 * Builds both segments.
 *
 * Without a chat template the tokenizer's beginning token, where it has one, stands before the context (as in kvpress: it is
 * what attention sinks on), and a newline separates it from the answer prefix.
 *
 * @param maxContext most tokens of the context. Where given, it counts alone, so that suffix and answer may reach
 * beyond the model's positions; where not, the context gets what they leave
 * @throws UserError where nothing of the context fits, or the chat template does not print it
 */
export function buildSegments(
  files: Pick<ModelFiles, 'name' | 'tokenizer' | 'chatTemplate' | 'config'>,
  sample: Sample,
  mode: QuestionMode,
  maxContext?: number,
): Segments {
  const parts = promptParts(files, sample, mode);
  const { suffixIds } = parts;
  const room = maxContext ?? roomBeside(files, sample, suffixIds.length);
  const whole = wholeContext(files, sample, parts);
  const truncated = whole.length > room;
  const cut = truncated ? cutEnd(files, sample, parts, room, maxContext) : undefined;
  if (cut !== undefined) throw cut;
  const contextIds = truncated ? cutMiddle(whole, room) : whole;
  // Generation starts from a token behind the cache: where the prompt has none, from its last one.
  if (suffixIds.length === 0) suffixIds.push(...contextIds.splice(-1));
  return { contextIds, suffixIds, truncated };
}

/** Throws UserError where `buildSegments` would; the context is tokenised only where that alone can tell. */
export function expectRoom(
  files: Parameters<typeof buildSegments>[0],
  sample: Sample,
  mode: QuestionMode,
  maxContext?: number,
): void {
  const parts = promptParts(files, sample, mode);
  const room = maxContext ?? roomBeside(files, sample, parts.suffixIds.length);
  // no tokenizer makes more tokens of a text than it has bytes
  if (Buffer.byteLength(parts.before) <= room) return;
  const cut = cutEnd(files, sample, parts, room, maxContext);
  if (cut !== undefined && wholeContext(files, sample, parts).length > room) throw cut;
}

function wholeContext(
  { tokenizer }: Pick<ModelFiles, 'tokenizer'>,
  { plain }: Pick<Sample, 'plain'>,
  { before }: Pick<PromptParts, 'before'>,
): number[] {
  return tokenizer.encode(before, plain?.specialTokens ?? false);
}

/** A prompt before it is tokenised and cut. */
export interface PromptParts {
  /** The text that is compressed. */
  readonly before: string;
  /** Of it, what stands in front of the context, and the question behind it: neither is ever cut. */
  readonly head: string;
  readonly tail: string;
  /** The tokens behind it. */
  readonly suffixIds: number[];
}

/**
 * A context that is cut keeps half of `room` tokens at each end: what is wrong where the template's head or the question is
 * longer than that.
 */
function cutEnd(
  { tokenizer }: Pick<ModelFiles, 'tokenizer'>,
  { place }: Pick<Sample, 'place'>,
  { head, tail }: PromptParts,
  room: number,
  maxContext: number | undefined,
): UserError | undefined {
  const [first, last] = [head, tail].map((text) => (text === '' ? 0 : tokenizer.encode(text).length));
  const longest = Math.max(first!, last!);
  if (longest <= Math.floor(room / 2)) return undefined;
  return new UserError(
    `${maxContext === undefined ? 'the room for the context' : 'max_context'} of ${room} tokens would cut ${
      first === longest ? 'the head of the chat template' : 'the question'
    }, which has ${longest}`,
    {
      ...(place === undefined ? {} : { place }),
      hint: `A context that is cut keeps half of them at each end: ${2 * longest} tokens at least.`,
      exitCode: 2,
    },
  );
}

/** The texts of a prompt, chat template and all, and the tokens behind what is compressed. */
export function promptParts(
  files: Parameters<typeof buildSegments>[0],
  { context, plain, questions: [asked] }: Sample,
  mode: QuestionMode,
): PromptParts {
  const compressed = mode === 'compressed' ? context + asked.question : context;
  const question = mode === 'compressed' ? '' : asked.question;
  const { before, after } =
    plain === undefined ? renderAround(files, compressed) : { before: compressed, after: plain.suffix };
  return {
    before,
    head: plain === undefined ? renderAround(files, '').before : '',
    tail: mode === 'compressed' ? asked.question : '',
    suffixIds: files.tokenizer.encode(question + after + asked.answerPrefix),
  };
}

/** Tokens that the model's positions leave for a context. */
function roomBeside(
  { name, config: { maxPositions } }: Pick<ModelFiles, 'name' | 'config'>,
  { place, questions: [{ maxNewTokens }] }: Sample,
  suffixTokens: number,
): number {
  const room = maxPositions - suffixTokens - maxNewTokens;
  if (room >= LEAST_CONTEXT) return room;
  const most = maxPositions - suffixTokens - LEAST_CONTEXT;
  throw new UserError(
    `max_new_tokens: the ${maxPositions} positions of ${name} have no room for a context beside ${maxNewTokens} tokens to generate and ${suffixTokens} behind the context`,
    {
      place: place ?? name,
      ...(most < 1 ? {} : { hint: `Use at most max_new_tokens: ${most}; less leaves more of the context.` }),
    },
  );
}

/** Ids that end the answer: the model's, or the tokenizer's own and that of a newline. */
export function stopIdsOf(
  { tokenizer, config }: Pick<ModelFiles, 'tokenizer' | 'config'>,
  { stop }: Pick<Question, 'stop'>,
): readonly number[] {
  if (stop === undefined) return config.eosIds;
  const { eosId } = tokenizer;
  return [...(eosId === undefined ? config.eosIds : [eosId]), tokenizer.encode('\n').at(-1)!];
}

/** Keeps the first and the last ⌊limit/2⌋ ids. */
export function cutMiddle(ids: readonly number[], limit: number): number[] {
  const half = Math.floor(limit / 2);
  return [...ids.slice(0, half), ...ids.slice(ids.length - half)];
}

function renderAround(
  files: Pick<ModelFiles, 'name' | 'chatTemplate' | 'tokenizer'>,
  context: string,
): { before: string; after: string } {
  if (files.chatTemplate === undefined) {
    return { before: (files.tokenizer.bos ?? '') + context, after: '\n' };
  }
  const rendered = files.chatTemplate.render(context + MARKER);
  const at = rendered.lastIndexOf(MARKER);
  if (at < 0) {
    throw new UserError('the chat template does not print the end of the user message', {
      place: files.name,
      hint: 'Expected a template that prints the content of a single user message unchanged.',
    });
  }
  return { before: rendered.slice(0, at), after: rendered.slice(at + MARKER.length) };
}
