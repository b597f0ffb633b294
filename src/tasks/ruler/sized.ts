/**
 * A sample with the largest haystack that fits, whatever it is made of.
 *
 * Decides what counts towards the length: prompt, answer prefix and the tokens to generate. RULER searches one size
 * for all samples and then shortens those that came out too long by a whole increment; here every sample gets the
 * largest haystack that fits it, to the unit, so that none needs shortening. Knows nothing of what is asked.
 */
import { UserError } from '../../errors.js';
import type { Sample, SampleRequest } from '../types.js';
import { largestFitting } from './fit.js';

export interface Sizing extends Omit<Sample, 'context'> {
  /** The context with `count` units of haystack; a pure function that grows with the count. */
  readonly contextOf: (count: number) => string;
  /** What is counted, in the plural. */
  readonly unit: string;
  /** Fewest units that are built. */
  readonly least: number;
  /** Most units that there are; unlimited where not given. */
  readonly most?: number;
  /** Distance to the first guess beyond `least`. */
  readonly stride: number;
}

/** Throws UserError (exit code 2) where not even the smallest haystack fits, saying the length that it needs. */
export function largestSample(
  task: string,
  { contextLength, countTokens }: Pick<SampleRequest<unknown>, 'contextLength' | 'countTokens'>,
  { contextOf, unit, least, most, stride, ...rest }: Sizing,
): Sample {
  const { question, answerPrefix, maxNewTokens } = rest;
  const lengthOf = (count: number) =>
    countTokens(`${contextOf(count)}${question} ${answerPrefix}`) + maxNewTokens;
  const count = largestFitting(lengthOf, {
    least,
    ...(most === undefined ? {} : { most }),
    stride,
    limit: contextLength,
  });
  if (count === undefined) {
    throw new UserError(
      `${task}: a context of ${contextLength} tokens is too short; with this tokenizer the least that works is ${lengthOf(least)}`,
      {
        hint: `That holds ${least} ${unit}, the question, and ${maxNewTokens} tokens to generate; give a little more, since samples differ in length.`,
        exitCode: 2,
      },
    );
  }
  return { context: contextOf(count), ...rest };
}
