/**
 * Samples with one question, as a generator or a loader has them: all fields side by side.
 *
 * Most benchmarks ask once per text; their tasks need not know that a sample may ask more often.
 */
import type { Question, Sample, TaskContext } from './types.js';

/** A sample and its only question in one. */
export interface Prompt extends Omit<Sample, 'questions'>, Question {}

/** What one sample of a generator is drawn from. */
export interface SampleRequest<P> extends TaskContext {
  readonly params: P;
  /** 0-based. */
  readonly index: number;
}

export function oneQuestion({ context, plain, depths, place, ...question }: Prompt): Sample {
  return {
    context,
    questions: [question],
    ...(plain === undefined ? {} : { plain }),
    ...(depths === undefined ? {} : { depths }),
    ...(place === undefined ? {} : { place }),
  };
}
