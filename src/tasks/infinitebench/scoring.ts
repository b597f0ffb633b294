/**
 * The two ways to score InfiniteBench: kvpress's, with which the tables were made, and the benchmark's own.
 *
 * GPT-4's published answers to code_debug are 52 % right by the first and 37 % by the second: which one a number is of must
 * be said with it.
 */
import * as z from 'zod';
import { infinitebenchScorers } from '../scorers/infinitebench/list.js';
import { officialChoice, officialDebugChoice, officialNameFound } from '../scorers/infinitebench/official.js';
import { rougeLsum } from '../scorers/infinitebench/rouge-lsum.js';
import { rougeLWithin } from '../scorers/rouge-l.js';
import { bestScore, type AnswersScorer, type Scorer } from '../scorers/types.js';
import type { InfiniteBenchName } from './templates.js';

export const variantParam = z
  .enum(['kvpress', 'official'])
  .optional()
  .describe(
    "how answers are scored: kvpress, as in the paper's harness, or official, as in the benchmark's own script; where not given, kvpress",
  );

export type Variant = z.infer<typeof variantParam>;

interface Scoring {
  readonly kvpress: AnswersScorer;
  readonly official: AnswersScorer;
  /** In sentences: how the two differ, and where either is not as released. */
  readonly notes: readonly string[];
}

const best =
  (scorer: Scorer): AnswersScorer =>
  (prediction, answers) =>
    bestScore(scorer, prediction, answers);

const ALIKE = 'Both variants (kvpress, official) score alike.';
const NUMBERS =
  "kvpress's release compares numbers with text, so that it never matches or stops; here both are read as numbers.";

const alike = (scorer: AnswersScorer, ...notes: readonly string[]): Scoring => ({
  kvpress: scorer,
  official: scorer,
  notes: [ALIKE, ...notes],
});

export const SCORERS: Readonly<Record<InfiniteBenchName, Scoring>> = {
  passkey: alike(infinitebenchScorers.passkey),
  number_string: alike(infinitebenchScorers.number_string),
  kv_retrieval: alike(infinitebenchScorers.kv_retrieval),
  longbook_qa_eng: alike(infinitebenchScorers.longbook_qa_eng),
  longbook_qa_chn: alike(infinitebenchScorers.longbook_qa_chn),
  math_find: alike(infinitebenchScorers.math_find, NUMBERS),
  math_calc: alike(
    infinitebenchScorers.math_calc,
    NUMBERS,
    "The benchmark's script leaves out the first number of GPT-4's answers, and of no other model's; here none is left out.",
  ),
  code_run: alike(infinitebenchScorers.code_run, NUMBERS),
  longbook_sum_eng: {
    kvpress: best((prediction, answer) => rougeLWithin(prediction, answer, Infinity)),
    official: best(rougeLsum),
    notes: [
      "variant: kvpress is LongBench's ROUGE-L without Python's recursion limit, as kvpress itself does not score this task; official is ROUGE-Lsum.",
    ],
  },
  longbook_choice_eng: {
    kvpress: infinitebenchScorers.longbook_choice_eng,
    official: officialChoice,
    notes: [
      'variant: kvpress takes the last stand-alone letter first; official the first character, what follows "answer is:" and its like, or the first word of A to D.',
    ],
  },
  longdialogue_qa_eng: {
    kvpress: infinitebenchScorers.longdialogue_qa_eng,
    official: officialNameFound,
    notes: [
      'variant: kvpress looks for any of the names anywhere in the answer; official for the first of them as a word of its own.',
    ],
  },
  code_debug: {
    kvpress: infinitebenchScorers.code_debug,
    official: officialDebugChoice,
    notes: [
      'variant: kvpress takes the last stand-alone letter, or name or letter at the beginning; official a letter with a full stop or colon at the beginning, or what follows "answer is:" and its like.',
      "kvpress's release reads a second answer, the letter, which its own data set drops; here name or letter may be the answer.",
    ],
  },
};

/** @param variant kvpress where not given */
export function scorerOf(name: InfiniteBenchName, variant: Variant): AnswersScorer {
  return SCORERS[name][variant ?? 'kvpress'];
}
