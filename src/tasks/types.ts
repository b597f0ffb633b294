/**
 * The extension point for tasks: a seeded generator or a loader, plus a scorer.
 *
 * What a task reads belongs to what `open` returns, so that a sample depends on nothing but its task, parameters, context
 * length, seed, index and tokenizer.
 */
import type * as z from 'zod';
import type { DataFiles } from './files/data-files.js';
import type { ScoreContext } from './scorers/types.js';

/** A text and what is asked of it. */
export interface Sample {
  /** Text that is prefilled and compressed. */
  readonly context: string;
  /** One as a rule; several share the prefill of the context. */
  readonly questions: readonly [Question, ...Question[]];
  /** Where given, there is no chat template around the text. */
  readonly plain?: PlainPrompt | undefined;
  /** Where what is asked for stands, in per cent of the text around it: of each needle, in the order of the text. */
  readonly depths?: readonly number[] | undefined;
  /** Where it was read, `file:line`, for errors. */
  readonly place?: string | undefined;
}

/** What is asked, how it is answered, and what a scorer needs of it. */
export interface Question extends ScoreContext {
  /** Joined to the context when questions are compressed, else appended uncompressed. Begins with its own separator. */
  readonly question: string;
  /** Fed after the assistant header, uncompressed. */
  readonly answerPrefix: string;
  readonly answers: readonly string[];
  /** Tokens to generate at most. */
  readonly maxNewTokens: number;
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

/** A field of a spec that changes nothing about a task's samples. */
export type IgnoredField = 'context' | 'seed';

/** What a run gives a task. */
export interface TaskContext {
  /** L: tokens for everything, prompt, answer prefix and the tokens to generate. */
  readonly contextLength: number;
  readonly seed: number;
  /** Number of tokens of a text, no special tokens added. For `sample()` alone: digests are known without a tokenizer. */
  readonly countTokens: (text: string) => number;
  /** Reads each file once for all tasks of a run. */
  readonly files: DataFiles;
}

/** A task that is ready: its samples and their scores. */
export interface OpenTask {
  /** Of the data behind the samples (word lists, texts, the generator's version): part of a cell's key. */
  readonly digest: string;
  /** How many samples there are, where they are finite. */
  readonly rows?: number;
  /**
   * The sample of a 0-based index, always the same one.
   *
   * @throws UserError where there is none, or the context length is too small, saying one that works
   */
  sample(index: number): Sample | Promise<Sample>;
  /**
   * Throws what `sample` of this index would throw, where that is known without making it: samples that take long to make
   * can so all be checked before a run. Where not given, the samples themselves are made.
   */
  check?(index: number): void;
  /** Score in [0, 1] of one answer to a question of these samples. */
  score(answer: string, question: Question): number;
}

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
  /** Tokens to generate, where they are the same for all samples and known without the data. */
  newTokens?(params: P): number;
  /** Finds the data and its digest. Throws UserError where it is missing or damaged. */
  open(params: P, context: TaskContext): OpenTask | Promise<OpenTask>;
}
