/**
 * The four tasks of LooGLE (arXiv 2311.04939), from its files: one `<task>.jsonl` each.
 *
 * Decides that every question is a sample, in the order of the files, and which of LooGLE's scores is the task's: the
 * recall of ROUGE-L, and the fraction of gaps that are filled exactly. A task's score is the mean over samples; LooGLE
 * itself divides the right gaps of all samples by all gaps.
 */
import * as z from 'zod';
import { folderParam, loaderDigest, newTokensParam, openRecords, ROWS_IGNORE } from '../files/data-folder.js';
import { fillFields } from '../files/fields.js';
import { noSuchSample, type RecordFile } from '../files/record-file.js';
import { exactGaps } from '../scorers/loogle/cloze.js';
import { rougeLRecall } from '../scorers/loogle/rouge-recall.js';
import { bestScore, type Scorer } from '../scorers/types.js';
import type { Sample, Task } from '../types.js';
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
  const { summary, newTokens, scorer, notes } = FACTS[name];
  const open = ({ folder }: LoogleParams): RecordFile => openRecords(DATASET, folder, `${name}.jsonl`);
  return {
    name: `loogle/${name}`,
    family: 'loogle',
    summary,
    source: 'LooGLE, arXiv 2311.04939; its files (spark-eval pull loogle)',
    notes: [`The benchmark grants ${newTokens} new tokens.`, ...notes],
    params,
    ignores: ROWS_IGNORE,
    sample: ({ index, params }) => ({
      ...readSample(name, open(params), index),
      maxNewTokens: params.max_new_tokens ?? newTokens,
    }),
    score: (prediction, answers) => bestScore(scorer, prediction, answers),
    dataDigest: (params) => loaderDigest(LOADER, open(params).digest),
  };
});

function readSample(name: LoogleName, file: RecordFile, index: number): Omit<Sample, 'maxNewTokens'> {
  const { record, question } = locate(name, file, index);
  const { text, questions } = readRow(name, file.record(record));
  const { question: Q, answer } = questions[question]!;
  const { context, question: asked, answerPrefix } = TEMPLATES[name];
  return {
    context: fillFields(context, { input: text }),
    question: fillFields(asked, { Q }),
    answerPrefix,
    answers: [answer],
  };
}

/** For each record of a file, the number of questions before it; last, that of all. */
const offsets = new WeakMap<RecordFile, readonly number[]>();

/** The record of the n-th question, and its place among the questions of that record. */
function locate(name: LoogleName, file: RecordFile, index: number): { record: number; question: number } {
  let before = offsets.get(file);
  if (before === undefined) {
    const sums = [0];
    for (const record of file.records()) sums.push(sums.at(-1)! + readRow(name, record).questions.length);
    before = sums;
    offsets.set(file, before);
  }
  const record = before.findLastIndex((count) => count <= index);
  if (record === file.count) throw noSuchSample(file.path, index, before.at(-1)!);
  return { record, question: index - before[record]! };
}
