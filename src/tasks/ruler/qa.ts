/**
 * RULER's question answering (arXiv 2404.06654): the documents of a question among as many others as fit.
 *
 * The others are first those of the same article (SQuAD), then random ones, all shuffled. The n-th sample asks the n-th
 * answerable question of the file, as in RULER; the seed decides the documents around it. HotpotQA's own
 * documents are the ten that its distractor setting gives a question, as in RULER.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { dataFolder, loaderDigest, pullHint } from '../files/data-folder.js';
import { fillFields } from '../files/fields.js';
import { randomFor } from '../../base/random.js';
import { noSuchSample } from '../files/record-file.js';
import type { SampleRequest } from '../one-question.js';
import type { OpenTask, Task, TaskContext } from '../types.js';
import { readHotpot, readSquad, type QuestionReader, type QuestionSet } from './qa-files.js';
import { anyFound } from './score.js';
import { checkSmallest, largestSample, type Sizing } from './sized.js';

/** Part of every digest: to be raised whenever the same request would give another sample. */
const GENERATOR = 'ruler/qa 1';
const MAX_NEW_TOKENS = 32;

const INSTRUCTION =
  'Answer the question based on the given documents. Only give me the answer and do not output any other words.';
const HEADER = `${INSTRUCTION}\n\nThe following are given documents.\n\n`;
const QUESTION = `\n\n${INSTRUCTION}\n\nQuestion: {query}`;
const ANSWER_PREFIX = 'Answer:';

interface Source {
  readonly name: string;
  readonly title: string;
  /** Name for `spark-eval pull`, and the file in it. */
  readonly dataset: string;
  readonly file: string;
  readonly read: QuestionReader;
}

const SOURCES: readonly Source[] = [
  {
    name: 'ruler/qa_1',
    title: 'SQuAD v2 dev',
    dataset: 'squad-v2-dev',
    file: 'dev-v2.0.json',
    read: readSquad,
  },
  {
    name: 'ruler/qa_2',
    title: 'HotpotQA dev, distractor setting',
    dataset: 'hotpotqa-dev',
    file: 'hotpot_dev_distractor_v1.json',
    read: readHotpot,
  },
];

export interface QaParams {
  readonly file?: string | undefined;
}

export const qaTasks: readonly Task<QaParams>[] = SOURCES.map((source) => ({
  name: source.name,
  family: 'ruler',
  summary: `a question (${source.title}) whose documents stand among others`,
  source: `RULER, arXiv 2404.06654; documents of ${source.title} (spark-eval pull ${source.dataset})`,
  params: z.strictObject({
    file: z
      .string()
      .min(1)
      .optional()
      .describe(
        `path of the official JSON of ${source.title}, or of the hub's rows (Parquet, JSON lines or JSON); where not given, what spark-eval pull ${source.dataset} fetched`,
      ),
  }),
  open: (params, context) => {
    const path = filePath(source, params);
    const set = source.read(context.files, path, pullHint(source.dataset, 'file'));
    const open = (questions: QuestionSet): OpenTask => openSet(source.name, questions, path, params, context);
    return set instanceof Promise ? set.then(open) : open(set);
  },
}));

function openSet(
  task: string,
  set: QuestionSet,
  path: string,
  params: QaParams,
  context: TaskContext,
): OpenTask {
  const sizing = (request: SampleRequest<QaParams>): Sizing => draw(task, set, request);
  return {
    digest: loaderDigest(GENERATOR, set.digest),
    rows: set.questions.length,
    sample: (index) => {
      expectQuestion(set, path, index);
      return largestSample(task, { ...context, params, index }, sizing);
    },
    check: (index) => {
      expectQuestion(set, path, index);
      checkSmallest(task, { ...context, params, index }, sizing);
    },
    score: (answer, { answers }) => anyFound(answer, answers),
  };
}

function expectQuestion({ questions }: QuestionSet, path: string, index: number): void {
  if (index >= questions.length) throw noSuchSample(path, index, questions.length);
}

function filePath({ dataset, file }: Source, params: QaParams): string {
  return params.file ?? join(dataFolder(dataset, undefined), file);
}

function draw(
  task: string,
  { documents, questions }: QuestionSet,
  { contextLength, seed, index }: SampleRequest<QaParams>,
): Sizing {
  const question = questions[index]!;
  const { own, related } = question;

  const random = randomFor(task, contextLength, seed, index);
  const belonging = new Set([...own, ...related]);
  const others = [...documents.keys()].filter((document) => !belonging.has(document));
  const byRank = [...own, ...random.shuffle(related), ...random.shuffle(others)];
  return {
    contextOf: (count) => {
      const order = randomFor(task, contextLength, seed, index, 'order');
      const texts = order.shuffle(byRank.slice(0, count)).map((document) => documents[document]!);
      return HEADER + texts.map((text, i) => `Document ${i + 1}:\n${text}`).join('\n\n');
    },
    question: fillFields(QUESTION, { query: question.text }),
    answerPrefix: ANSWER_PREFIX,
    answers: question.answers,
    maxNewTokens: MAX_NEW_TOKENS,
    unit: 'documents',
    least: own.length,
    most: byRank.length,
    stride: 10,
  };
}
