/**
 * The four tasks of LooGLE (arXiv 2311.04939), from its files: one `<task>.jsonl` each.
 *
 * Every question is a sample, in the order of the files. Of LooGLE's scores a task has one: the
 * recall of ROUGE-L, or the fraction of gaps that are filled exactly. A task's score is the mean over samples; LooGLE
 * itself divides the right gaps of all samples by all gaps.
 */
import * as z from 'zod';
import { folderParam, loaderDigest, newTokensParam, openRecords, ROWS_IGNORE } from '../files/data-folder.js';
import { fillFields } from '../files/fields.js';
import { noSuchSample, type RecordFile } from '../files/record-file.js';
import { exactGaps } from '../scorers/loogle/cloze.js';
import { rougeLRecall } from '../scorers/loogle/rouge-recall.js';
import { bestScore, type AnswersScorer, type Scorer } from '../scorers/types.js';
import { oneQuestion, type Prompt } from '../one-question.js';
import type { DataFiles } from '../files/data-files.js';
import type { Task } from '../types.js';
import { readRow } from './row.js';
import { TEMPLATES, type LoogleName } from './templates.js';

const DATASET = 'loogle';
const LOADER = 'loogle 1';

interface Facts {
  readonly summary: string;
  readonly newTokens: number;
  readonly scorer: Scorer;
  readonly notes: readonly string[];
}

const RECALL_NOTES = [
  "Of LooGLE's scores this is the recall of ROUGE-L, without Python's recursion limit. METEOR and BERTScore are not computed: they need WordNet and a model.",
];

const gapsFilled: Scorer = (prediction, answer) => {
  const { right, asked } = exactGaps(prediction, answer);
  return right / asked;
};

const FACTS: Readonly<Record<LoogleName, Facts>> = {
  shortdep_qa: {
    summary: 'questions whose evidence stands in one place (ROUGE-L recall)',
    newTokens: 300,
    scorer: rougeLRecall,
    notes: RECALL_NOTES,
  },
  longdep_qa: {
    summary: 'questions whose evidence is spread over the text (ROUGE-L recall)',
    newTokens: 500,
    scorer: rougeLRecall,
    notes: RECALL_NOTES,
  },
  longdep_summarization: {
    summary: 'a summary of a paper (ROUGE-L recall)',
    newTokens: 500,
    scorer: rougeLRecall,
    notes: RECALL_NOTES,
  },
  shortdep_cloze: {
    summary: 'masked names to fill in (fraction that is exactly right)',
    newTokens: 50,
    scorer: gapsFilled,
    notes: [
      "Answers are read as dictionaries, never evaluated: the released harness gives a model's text to Python's eval.",
      'Every gap of the answer counts; the released exact match counts a prediction that is no dictionary as one gap.',
      'The score is the mean over samples; LooGLE divides the right gaps of all samples by all gaps.',
    ],
  },
};

const params = z.strictObject({
  folder: folderParam("LooGLE's files, one <task>.jsonl each", DATASET),
  max_new_tokens: newTokensParam("the benchmark's own limit"),
});

export type LoogleParams = z.infer<typeof params>;

export const loogleTasks: readonly Task<LoogleParams>[] = (Object.keys(FACTS) as LoogleName[]).map((name) => {
  const { summary, newTokens, notes } = FACTS[name];
  const score = loogleScore(name);
  return {
    name: `loogle/${name}`,
    family: 'loogle',
    summary,
    source: 'LooGLE, arXiv 2311.04939; its files (spark-eval pull loogle)',
    notes: [`The benchmark grants ${newTokens} new tokens.`, ...notes],
    params,
    ignores: ROWS_IGNORE,
    open: ({ folder, max_new_tokens }, { files }) => {
      const file = openRecords(files, DATASET, folder, `${name}.jsonl`);
      const before = (): readonly number[] => questionsBefore(name, file, files);
      return {
        digest: loaderDigest(LOADER, file.digest),
        get rows() {
          return before().at(-1)!;
        },
        sample: (index) =>
          oneQuestion({
            ...readSample(name, file, before(), index),
            maxNewTokens: max_new_tokens ?? newTokens,
          }),
        score: (answer, { answers }) => score(answer, answers),
      };
    },
  };
});

/** The score of one of the tasks. */
export function loogleScore(name: LoogleName): AnswersScorer {
  return (prediction, answers) => bestScore(FACTS[name].scorer, prediction, answers);
}

/** @param before of each record, the number of questions before it; last, that of all */
function readSample(
  name: LoogleName,
  file: RecordFile,
  before: readonly number[],
  index: number,
): Omit<Prompt, 'maxNewTokens'> {
  const record = before.findLastIndex((count) => count <= index);
  if (record === file.count) throw noSuchSample(file.path, index, before.at(-1)!);
  const row = file.record(record);
  const { text, questions } = readRow(name, row);
  const { question: Q, answer } = questions[index - before[record]!]!;
  const { context, question: asked, answerPrefix } = TEMPLATES[name];
  return {
    place: row.place,
    context: fillFields(context, { input: text }),
    question: fillFields(asked, { Q }),
    answerPrefix,
    answers: [answer],
  };
}

function questionsBefore(name: LoogleName, file: RecordFile, files: DataFiles): readonly number[] {
  return files.once(`loogle/${name} questions ${file.path}`, () => {
    const sums = [0];
    for (const record of file.records()) sums.push(sums.at(-1)! + readRow(name, record).questions.length);
    return sums;
  });
}
