/**
 * The extension point for tasks: a seeded generator or a loader, plus a scorer.
 *
 * Decides what a sample is. Knows nothing of models; a tokenizer is only something that counts.
 */
import type { z } from 'zod';

export interface Sample {
  /** Text that is prefilled and compressed. */
  readonly context: string;
  /** Joined to the context when questions are compressed, else appended uncompressed. Begins with its own separator. */
  readonly question: string;
  /** Fed after the assistant header, uncompressed. */
  readonly answerPrefix: string;
  readonly answers: readonly string[];
  readonly maxNewTokens: number;
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

export interface Task<P = unknown> {
  /** `family/name`, e.g. `ruler/niah_single_1`. */
  readonly name: string;
  readonly family: string;
  readonly summary: string;
  readonly source: string;
  readonly params: z.ZodType<P>;
  /**
   * Reads what can only be read asynchronously (Parquet); awaited before `sample` with the same parameters and context
   * length. May be called again and is quick then. Most tasks have none.
   */
  prepare?(params: P, contextLength: number): Promise<void>;
  /** A pure function of its request. Throws UserError where the length is too small, saying the least that works. */
  sample(request: SampleRequest<P>): Sample;
  /** Score of one prediction in [0, 1]. */
  score(prediction: string, answers: readonly string[]): number;
  /** Digest of the data behind the samples (word lists, texts, the generator's version), part of a cell's key. */
  dataDigest(params: P): string;
}
