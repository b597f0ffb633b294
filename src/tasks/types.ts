/**
 * The extension point for tasks: a seeded generator or a loader, plus a scorer.
 *
 * Decides what a sample is. Knows nothing of models; a tokenizer is only something that counts.
 */
import type * as z from 'zod';
import type { ScoreContext } from './scorers/types.js';

export interface Sample extends ScoreContext {
  /** Text that is prefilled and compressed. */
  readonly context: string;
  /** Joined to the context when questions are compressed, else appended uncompressed. Begins with its own separator. */
  readonly question: string;
  /** Fed after the assistant header, uncompressed. */
  readonly answerPrefix: string;
  readonly answers: readonly string[];
  readonly maxNewTokens: number;
  /** Where given, there is no chat template around the text. */
  readonly plain?: PlainPrompt | undefined;
  /** `newline`: a line break ends the answer, as the tokenizer's own end token does. Else the model's end tokens do. */
  readonly stop?: 'newline' | undefined;
}

/** A prompt that is no chat. */
export interface PlainPrompt {
  /** Begins with the special tokens that the tokenizer itself puts before a text. */
  readonly specialTokens: boolean;
  /** Stands between question and answer prefix, uncompressed. */
  readonly suffix: string;
}

export interface SampleRequest<P> {
  /** L: tokens for everything, prompt, answer prefix and the tokens to generate. */
  readonly contextLength: number;
  readonly seed: number;
  /** 0-based index of the sample. */
  readonly index: number;
  readonly params: P;
  /** Number of tokens of a text, no special tokens added. */
  readonly countTokens: (text: string) => number;
}

/** A field of a spec that changes nothing about a task's samples. */
export type IgnoredField = 'context' | 'seed';

export interface Task<P = unknown> {
  /** `family/name`, e.g. `ruler/niah_single_1`. */
  readonly name: string;
  readonly family: string;
  readonly summary: string;
  readonly source: string;
  /** What a user should know beside that, a sentence each. */
  readonly notes?: readonly string[];
  readonly params: z.ZodType<P>;
  /** Rows of a file have lengths of their own and know no seed: a sweep over such a field is one cell, its first. */
  readonly ignores?: readonly IgnoredField[];
  /**
   * Reads what can only be read asynchronously (Parquet); awaited before `sample` with the same parameters and context
   * length. May be called again and is quick then. Most tasks have none.
   */
  prepare?(params: P, contextLength: number): Promise<void>;
  /** A pure function of its request. Throws UserError where the length is too small, saying one that works. */
  sample(request: SampleRequest<P>): Sample;
  /** Score of one prediction in [0, 1]; the runner passes the sample as the context. */
  score(prediction: string, answers: readonly string[], context?: ScoreContext): number;
  /** Digest of the data behind the samples (word lists, texts, the generator's version), part of a cell's key. */
  dataDigest(params: P): string;
}
