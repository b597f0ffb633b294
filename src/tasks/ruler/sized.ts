/**
 * A sample with the largest haystack that fits, whatever it is made of.
 *
 * Prompt, answer prefix and the tokens to generate count towards the length. RULER searches one size for all samples and then
 * shortens those that came out too long by a whole increment; here every sample gets the largest haystack that fits it, to
 * the unit, so that none needs shortening.
 */
import { oneQuestion, type Prompt, type SampleRequest } from '../one-question.js';
import { ContextTooShort } from '../too-short.js';
import type { Sample } from '../types.js';
import { largestFitting } from './fit.js';

export interface Sizing extends Pick<Prompt, 'question' | 'answerPrefix' | 'answers' | 'maxNewTokens'> {
  /** The context with `count` units of haystack; a pure function that grows with the count. */
  readonly contextOf: (count: number) => string;
  /** Where needles stand in it, as `Sample.depths`. */
  readonly depthsOf?: (count: number) => readonly number[];
  /** What is counted, in the plural. */
  readonly unit: string;
  /** Fewest units that are built. */
  readonly least: number;
  /** Most units that there are; unlimited where not given. */
  readonly most?: number;
  /** Distance to the first guess beyond `least`. */
  readonly stride: number;
}

type Request = Pick<SampleRequest<unknown>, 'contextLength' | 'countTokens' | 'index'>;

/**
 * The sample that `sizingOf` draws for the request, as large as fits.
 *
 * Throws UserError (exit code 2) where not even the smallest haystack fits, saying a length into which it does.
 */
export function largestSample<R extends Request>(
  task: string,
  request: R,
  sizingOf: (request: R) => Sizing,
): Sample {
  const { contextLength, countTokens } = request;
  const sizing = sizingOf(request);
  const { contextOf, depthsOf, least, most, stride } = sizing;
  const count = largestFitting((units) => lengthOf(sizing, units, countTokens), {
    least,
    ...(most === undefined ? {} : { most }),
    stride,
    limit: contextLength,
  });
  if (count === undefined) throw tooShortFor(task, request, sizing, sizingOf);
  const { question, answerPrefix, answers, maxNewTokens } = sizing;
  return oneQuestion({
    context: contextOf(count),
    ...{ question, answerPrefix, answers, maxNewTokens },
    ...(depthsOf === undefined ? {} : { depths: depthsOf(count) }),
  });
}

/** Throws as `largestSample` where not even the smallest haystack fits. */
export function checkSmallest<R extends Request>(
  task: string,
  request: R,
  sizingOf: (request: R) => Sizing,
): void {
  const sizing = sizingOf(request);
  if (lengthOf(sizing, sizing.least, request.countTokens) <= request.contextLength) return;
  throw tooShortFor(task, request, sizing, sizingOf);
}

function tooShortFor<R extends Request>(
  task: string,
  request: R,
  { least, unit, maxNewTokens }: Sizing,
  sizingOf: (request: R) => Sizing,
): ContextTooShort {
  const needed = (length: number): number => {
    const other = sizingOf({ ...request, contextLength: length });
    return lengthOf(other, other.least, request.countTokens);
  };
  const holds = `${least} ${unit}, the question, and ${maxNewTokens} tokens to generate`;
  return tooShort(task, request, needed, holds);
}

function lengthOf(
  { contextOf, question, answerPrefix, maxNewTokens }: Sizing,
  count: number,
  countTokens: Request['countTokens'],
): number {
  return countTokens(`${contextOf(count)}${question} ${answerPrefix}`) + maxNewTokens;
}

/**
 * A context into which the sample does not fit, and one into which it does.
 *
 * @param needed tokens of the smallest sample that is drawn for a length: another length draws another sample
 * @param holds what that sample has in it, in words
 */
export function tooShort(
  task: string,
  { contextLength, index }: Request,
  needed: (length: number) => number,
  holds: string,
): ContextTooShort {
  let works = contextLength;
  for (let need = needed(works); need > works; need = needed(works)) works = need;
  return new ContextTooShort(
    `${task}: a context of ${contextLength} tokens is too short; with this tokenizer sample ${index} fits into ${works}`,
    works,
    `That holds ${holds}; give a little more, since samples differ in length.`,
  );
}
