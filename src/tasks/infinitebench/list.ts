/**
 * The twelve tasks of InfiniteBench (arXiv 2402.13718), from its official files: one `<task>.jsonl` each.
 *
 * Decides how many tokens each may generate and how it is scored. The n-th sample is the n-th row. Repaired faults of
 * the released scorers are named in scorers/infinitebench/; longbook_sum_eng, which InfiniteBench scores by another
 * package's ROUGE-Lsum and the paper's harness not at all, gets LongBench's ROUGE-L here, without Python's recursion
 * limit.
 */
import * as z from 'zod';
import { folderParam, loaderDigest, newTokensParam, openRecords, ROWS_IGNORE } from '../files/data-folder.js';
import { infinitebenchScorers } from '../scorers/infinitebench/list.js';
import { rougeLWithin } from '../scorers/rouge-l.js';
import { bestScore, type AnswersScorer } from '../scorers/types.js';
import { oneQuestion } from '../one-question.js';
import type { Task } from '../types.js';
import { readRow } from './row.js';
import type { InfiniteBenchName } from './templates.js';

const DATASET = 'infinitebench';
const LOADER = 'infinitebench 1';

interface Facts {
  readonly summary: string;
  /** The benchmark's own limit. */
  readonly newTokens: number;
  /** Where the score is not the released one. */
  readonly mended?: string;
}

/** Beyond the benchmark's own limit, as in the harness that the SparK paper used: no answer is cut off. */
const EXTRA_NEW_TOKENS = 20;

const NUMBERS =
  'The released scorer compares numbers with text, so that it never matches or stops; here both are read as numbers.';

const FACTS: Readonly<Record<InfiniteBenchName, Facts>> = {
  passkey: { summary: 'a 5-digit key hidden in repeated noise', newTokens: 6 },
  number_string: { summary: 'a number with repeated digits hidden in repeated noise', newTokens: 12 },
  kv_retrieval: { summary: 'the value of a key in a large JSON object', newTokens: 50 },
  longbook_sum_eng: {
    summary: 'a summary of a book (ROUGE-L)',
    newTokens: 1200,
    mended:
      "InfiniteBench scores this by another package's ROUGE-Lsum, the paper's harness not at all; here it is LongBench's ROUGE-L without Python's recursion limit.",
  },
  longbook_choice_eng: { summary: 'multiple choice on a book', newTokens: 40 },
  longbook_qa_eng: { summary: 'questions on a book (F1)', newTokens: 40 },
  longbook_qa_chn: { summary: 'questions on a Chinese book (F1 of characters)', newTokens: 40 },
  longdialogue_qa_eng: { summary: 'a masked name in a film script', newTokens: 40 },
  math_find: {
    summary: 'the largest, smallest or median number of a long list',
    newTokens: 3,
    mended: NUMBERS,
  },
  math_calc: { summary: 'all intermediate values of a long sum', newTokens: 30_000, mended: NUMBERS },
  code_run: {
    summary: 'the value of a call through many small functions',
    newTokens: 5,
    mended: NUMBERS,
  },
  code_debug: {
    summary: 'the function of a code base that has an error (multiple choice)',
    newTokens: 5,
    mended:
      'The released scorer reads a second answer, the letter, which its own data set drops; here name or letter may be the answer.',
  },
};

const bookRouge = (prediction: string, answer: string): number => rougeLWithin(prediction, answer, Infinity);

export const SCORERS: Readonly<Record<InfiniteBenchName, AnswersScorer>> = {
  ...infinitebenchScorers,
  longbook_sum_eng: (prediction, answers) => bestScore(bookRouge, prediction, answers),
};

const params = z.strictObject({
  folder: folderParam("InfiniteBench's files, one <task>.jsonl each", DATASET),
  max_new_tokens: newTokensParam(`the benchmark's own limit and ${EXTRA_NEW_TOKENS} more`),
});

export type InfiniteBenchParams = z.infer<typeof params>;

export const infinitebenchTasks: readonly Task<InfiniteBenchParams>[] = (
  Object.keys(FACTS) as InfiniteBenchName[]
).map((name) => {
  const { summary, newTokens, mended } = FACTS[name];
  return {
    name: `infinitebench/${name}`,
    family: 'infinitebench',
    summary,
    source: 'InfiniteBench, arXiv 2402.13718; its files (spark-eval pull infinitebench)',
    notes: [`The benchmark grants ${newTokens} new tokens.`, ...(mended === undefined ? [] : [mended])],
    params,
    ignores: ROWS_IGNORE,
    open: ({ folder, max_new_tokens }, { files }) => {
      const file = openRecords(files, DATASET, folder, `${name}.jsonl`);
      return {
        digest: loaderDigest(LOADER, file.digest),
        rows: file.count,
        sample: (index) =>
          oneQuestion({
            ...readRow(name, file.record(index)),
            maxNewTokens: max_new_tokens ?? newTokens + EXTRA_NEW_TOKENS,
          }),
        score: (answer, { answers }) => SCORERS[name](answer, answers),
      };
    },
  };
});
