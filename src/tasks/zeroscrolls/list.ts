/**
 * The ten tasks of ZeroSCROLLS (arXiv 2305.14196), from the validation split of its files: `<task>/validation.jsonl`.
 *
 * The answers of the test split are not public, so that
 * only the validation split, some 20 prompts a task, can be scored: enough to compare caches with each other, not to
 * compare models.
 */
import * as z from 'zod';
import { folderParam, loaderDigest, newTokensParam, openRecords, ROWS_IGNORE } from '../files/data-folder.js';
import { noSuchSample } from '../files/record-file.js';
import { qaF1 } from '../scorers/qa-f1.js';
import { bestScore, type Scorer } from '../scorers/types.js';
import { oneQuestion } from '../one-question.js';
import type { Task } from '../types.js';
import { readSample, samplesOf } from './row.js';
import { concordance, firstLetter, percentageSimilarity, rougeMean } from './score.js';

const DATASET = 'zero-scrolls';
const LOADER = 'zeroscrolls 1';

interface Facts {
  readonly summary: string;
  readonly newTokens: number;
  readonly scorer: Scorer;
}

const SPLIT =
  'Only the validation split, some 20 prompts a task, can be scored: the answers of the test split are not public. That is enough to compare caches with each other, not to compare models.';
const ROUGE =
  "Words are not stemmed, and the geometric mean of ROUGE-1, ROUGE-2 and ROUGE-L is that of a sample: not the leaderboard's number.";

const FACTS: Readonly<Record<string, Facts>> = {
  gov_report: { summary: 'a summary of a government report (ROUGE)', newTokens: 1024, scorer: rougeMean },
  summ_screen_fd: { summary: 'a summary of a TV episode (ROUGE)', newTokens: 512, scorer: rougeMean },
  qmsum: { summary: 'a question on a meeting (ROUGE)', newTokens: 512, scorer: rougeMean },
  squality: {
    summary: 'a question on a story, answered at length (ROUGE)',
    newTokens: 512,
    scorer: rougeMean,
  },
  qasper: { summary: 'a question on a paper (F1)', newTokens: 128, scorer: qaF1 },
  narrative_qa: { summary: 'a question on a book or a film script (F1)', newTokens: 64, scorer: qaF1 },
  quality: { summary: 'multiple choice on a story', newTokens: 10, scorer: firstLetter },
  musique: { summary: 'a question over several paragraphs (F1)', newTokens: 32, scorer: qaF1 },
  space_digest: {
    summary: 'the percentage of positive reviews among 50',
    newTokens: 36,
    scorer: percentageSimilarity,
  },
  book_sum_sort: { summary: 'summaries of chapters to put in order', newTokens: 256, scorer: concordance },
};

const params = z.strictObject({
  folder: folderParam("ZeroSCROLLS' files, <task>/validation.jsonl each", DATASET),
  max_new_tokens: newTokensParam("the benchmark's own limit"),
});

export type ZeroScrollsParams = z.infer<typeof params>;

export const zeroScrollsTasks: readonly Task<ZeroScrollsParams>[] = Object.entries(FACTS).map(
  ([name, { summary, newTokens, scorer }]) => {
    return {
      name: `zeroscrolls/${name}`,
      family: 'zeroscrolls',
      summary: `${summary}; validation split`,
      source: 'ZeroSCROLLS, arXiv 2305.14196; its files (spark-eval pull zero-scrolls)',
      notes: [
        `The benchmark grants ${newTokens} new tokens.`,
        SPLIT,
        ...(scorer === rougeMean ? [ROUGE] : []),
      ],
      params,
      ignores: ROWS_IGNORE,
      newTokens: ({ max_new_tokens }) => max_new_tokens ?? newTokens,
      open: ({ folder, max_new_tokens }, { files }) => {
        const file = openRecords(files, DATASET, folder, `${name}/validation.jsonl`);
        const samples = (): readonly (readonly number[])[] => samplesOf(file, files);
        return {
          digest: loaderDigest(LOADER, file.digest),
          get rows() {
            return samples().length;
          },
          sample: (index) => {
            const rows = samples()[index];
            if (rows === undefined) throw noSuchSample(file.path, index, samples().length);
            return oneQuestion({ ...readSample(file, rows), maxNewTokens: max_new_tokens ?? newTokens });
          },
          score: (answer, { answers }) => bestScore(scorer, answer, answers),
        };
      },
    };
  },
);
