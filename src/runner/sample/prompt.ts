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
  const parts = renderedParts(files, sample, mode);
  const { before, suffixIds } = parts;
  const room = maxContext ?? roomBeside(files, sample, suffixIds.length);
  const whole = files.tokenizer.encode(before, sample.plain?.specialTokens ?? false);
  const truncated = whole.length > room;
  if (truncated) expectWholeEnds(files, sample, parts, room, maxContext);
  const contextIds = truncated ? cutMiddle(whole, room) : whole;
  // Generation starts from a token behind the cache: where the prompt has none, from its last one.
  if (suffixIds.length === 0) suffixIds.push(...contextIds.splice(-1));
  return { contextIds, suffixIds, truncated };
}

/** Throws UserError where `buildSegments` would find no room; the context is not tokenised for that. */
export function expectRoom(
  files: Parameters<typeof buildSegments>[0],
  sample: Sample,
  mode: QuestionMode,
  maxContext?: number,
): void {
  const parts = renderedParts(files, sample, mode);
  const room = maxContext ?? roomBeside(files, sample, parts.suffixIds.length);
  // no tokenizer makes more tokens of a text than it has bytes
  if (Buffer.byteLength(parts.before) > room) expectWholeEnds(files, sample, parts, room, maxContext);
}

/** What follows the context and its limit, where together they go beyond the model's positions: how far. */
export function reachBeyond(
  files: Parameters<typeof buildSegments>[0],
  sample: Sample,
  mode: QuestionMode,
  maxContext: number,
): { readonly behind: number; readonly beyond: number } | undefined {
  const { suffixIds } = renderedParts(files, sample, mode);
  const [{ maxNewTokens }] = sample.questions;
  const beyond = maxContext + suffixIds.length + maxNewTokens - files.config.maxPositions;
  return beyond > 0 ? { behind: suffixIds.length, beyond } : undefined;
}

interface RenderedParts {
  /** The text that is compressed. */
  readonly before: string;
  /** Of it, what stands in front of the context, and the question behind it: neither is ever cut. */
  readonly head: string;
  readonly tail: string;
  /** The tokens behind it. */
  readonly suffixIds: number[];
}

/**
 * A context that is cut keeps its two halves of `room` tokens: throws UserError where the template's head or the question is
 * longer than that.
 */
function expectWholeEnds(
  { tokenizer }: Pick<ModelFiles, 'tokenizer'>,
  { place }: Sample,
  { head, tail }: RenderedParts,
  room: number,
  maxContext: number | undefined,
): void {
  const [first, last] = [head, tail].map((text) => (text === '' ? 0 : tokenizer.encode(text).length));
  const longest = Math.max(first!, last!);
  if (longest <= Math.floor(room / 2)) return;
  throw new UserError(
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

function renderedParts(
  files: Parameters<typeof buildSegments>[0],
  { context, plain, questions: [asked] }: Sample,
  mode: QuestionMode,
): RenderedParts {
  const compressed = mode === 'compressed' ? context + asked.question : context;
  const question = mode === 'compressed' ? '' : asked.question;
  const { before, after } =
    plain === undefined ? renderAround(files, compressed) : { before: compressed, after: plain.suffix };
  return {
    before,
    head: before.slice(0, Math.max(0, before.lastIndexOf(compressed))),
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
