/**
 * The twelve tasks of InfiniteBench (arXiv 2402.13718), from its official files: one `<task>.jsonl` each.
 *
 * The n-th sample is the n-th row. Each task can be scored in two ways: as kvpress, with which the tables were made, and as
 * the benchmark itself.
 */
import * as z from 'zod';
import { folderParam, loaderDigest, newTokensParam, openRecords, ROWS_IGNORE } from '../files/data-folder.js';
import { SCORERS, scorerOf, variantParam } from './scoring.js';
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
}

/** Beyond the benchmark's own limit, as in the harness that the SparK paper used: no answer is cut off. */
const EXTRA_NEW_TOKENS = 20;

const FACTS: Readonly<Record<InfiniteBenchName, Facts>> = {
  passkey: { summary: 'a 5-digit key hidden in repeated noise', newTokens: 6 },
  number_string: { summary: 'a number with repeated digits hidden in repeated noise', newTokens: 12 },
  kv_retrieval: { summary: 'the value of a key in a large JSON object', newTokens: 50 },
  longbook_sum_eng: { summary: 'a summary of a book (ROUGE)', newTokens: 1200 },
  longbook_choice_eng: { summary: 'multiple choice on a book', newTokens: 40 },
  longbook_qa_eng: { summary: 'questions on a book (F1)', newTokens: 40 },
  longbook_qa_chn: { summary: 'questions on a Chinese book (F1 of characters)', newTokens: 40 },
  longdialogue_qa_eng: { summary: 'a masked name in a film script', newTokens: 40 },
  math_find: { summary: 'the largest, smallest or median number of a long list', newTokens: 3 },
  math_calc: { summary: 'all intermediate values of a long sum', newTokens: 30_000 },
  code_run: { summary: 'the value of a call through many small functions', newTokens: 5 },
  code_debug: {
    summary: 'the function of a code base that has an error (multiple choice)',
    newTokens: 5,
  },
};

const params = z.strictObject({
  variant: variantParam,
  folder: folderParam("InfiniteBench's files, one <task>.jsonl each", DATASET),
  max_new_tokens: newTokensParam(`the benchmark's own limit and ${EXTRA_NEW_TOKENS} more`),
});

export type InfiniteBenchParams = z.infer<typeof params>;

export const infinitebenchTasks: readonly Task<InfiniteBenchParams>[] = (
  Object.keys(FACTS) as InfiniteBenchName[]
).map((name) => {
  const { summary, newTokens } = FACTS[name];
  const granted = ({ max_new_tokens }: InfiniteBenchParams): number =>
    max_new_tokens ?? newTokens + EXTRA_NEW_TOKENS;
  return {
    name: `infinitebench/${name}`,
    family: 'infinitebench',
    summary,
    source: 'InfiniteBench, arXiv 2402.13718; its files (spark-eval pull infinitebench)',
    notes: [`The benchmark grants ${newTokens} new tokens.`, ...SCORERS[name].notes],
    params,
    ignores: ROWS_IGNORE,
    newTokens: granted,
    open: (given, { files }) => {
      const { variant, folder } = given;
      const score = scorerOf(name, variant);
      const file = openRecords(files, DATASET, folder, `${name}.jsonl`);
      return {
        digest: loaderDigest(LOADER, file.digest),
        rows: file.count,
        sample: (index) =>
          oneQuestion({
            ...readRow(name, file.record(index)),
            maxNewTokens: granted(given),
          }),
        score: (answer, { answers }) => score(answer, answers),
      };
    },
  };
});
