/**
 * The copy of RULER that the SparK paper's tables were made with: a hub data set with 500 samples per task at 4096,
 * 8192 and 16384 tokens, counted with the tokenizer of Llama 3.1 for every model.
 *
 * Decides which rows are a task's: the n-th sample is its n-th row at the spec's context length; the seed changes
 * nothing. With another tokenizer a prompt may be longer than the context length says. It is passed on as it stands;
 * what does not fit a model is cut in the middle, as everywhere.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { dataFolder, folderParam, loaderDigest, pullHint } from '../files/data-folder.js';
import { fileDigest, readParquetRows } from '../files/parquet-file.js';
import { parquetFiles } from '../files/parquet-folder.js';
import { checkRecord, noSuchSample } from '../files/record-file.js';
import { newTokensColumn, passage, text } from '../files/row-fields.js';
import type { Sample, Task } from '../types.js';
import { rulerTasks } from './list.js';

/** Part of every digest: to be raised whenever the same row would give another sample. */
const LOADER = 'ruler-hub 1';
const FAMILY = 'ruler-hub';
const DATASET = 'ruler-hub';
const LENGTHS = [4096, 8192, 16384] as const;

const params = z.strictObject({
  folder: folderParam(`one folder of Parquet files for each length, ${LENGTHS.join(', ')}`, DATASET),
});

export type RulerHubParams = z.infer<typeof params>;

const row = z.object({
  context: passage,
  question: z.string(),
  answer_prefix: z.string(),
  answer: z.array(text).min(1),
  max_new_tokens: newTokensColumn,
});
const HINT = pullHint(DATASET, 'folder');
const COLUMNS = Object.keys(row.shape);

export const rulerHubTasks: readonly Task<RulerHubParams>[] = rulerTasks.map((generated) => {
  const task = generated.name.slice(generated.name.indexOf('/') + 1);
  return {
    name: `${FAMILY}/${task}`,
    family: FAMILY,
    summary: generated.summary,
    source: `RULER, arXiv 2404.06654; the hub's simonjegou/ruler (spark-eval pull ${DATASET})`,
    params,
    ignores: ['seed'],
    prepare: ({ folder }, contextLength) => load(dataFolder(DATASET, folder), contextLength, task),
    sample: ({ contextLength, index, params: { folder } }) =>
      loadedSample(dataFolder(DATASET, folder), contextLength, task, index),
    score: (prediction, answers) => generated.score(prediction, answers),
    dataDigest: ({ folder }) => folderDigest(dataFolder(DATASET, folder)),
  };
});

/** The rows that were asked for last: a run goes through one task at one length at a time, and they are large. */
let loaded: { readonly key: string; readonly samples: readonly Sample[] } | undefined;

async function load(root: string, contextLength: number, task: string): Promise<void> {
  const key = keyOf(root, contextLength, task);
  if (loaded?.key !== key) loaded = { key, samples: await readSamples(root, contextLength, task) };
}

function loadedSample(root: string, contextLength: number, task: string, index: number): Sample {
  if (loaded?.key !== keyOf(root, contextLength, task))
    throw new Error('sample() before prepare() has ended');
  const sample = loaded.samples[index];
  if (sample === undefined) {
    throw noSuchSample(lengthFolder(root, contextLength), index, loaded.samples.length);
  }
  return sample;
}

function keyOf(root: string, contextLength: number, task: string): string {
  return JSON.stringify([lengthFolder(root, contextLength), task]);
}

async function readSamples(root: string, contextLength: number, task: string): Promise<Sample[]> {
  if (!LENGTHS.some((length) => length === contextLength)) {
    throw new UserError(
      `${FAMILY}/${task}: expected a context of ${LENGTHS.join(', ')} tokens, found ${contextLength}`,
      { hint: `ruler/${task} generates samples of any length.`, exitCode: 2 },
    );
  }
  const folder = lengthFolder(root, contextLength);
  const samples: Sample[] = [];
  for (const file of parquetFiles(folder, HINT)) {
    const only = { column: 'task', equals: task };
    for (const record of await readParquetRows(file, COLUMNS, { only, hint: HINT })) {
      const { context, question, answer_prefix, answer, max_new_tokens } = checkRecord(row, record);
      samples.push({
        context,
        question,
        answerPrefix: answer_prefix,
        answers: answer,
        maxNewTokens: max_new_tokens,
      });
    }
  }
  return samples;
}

/** Of all lengths that are there: a folder that gets another one counts as another data set. */
function folderDigest(root: string): string {
  const folders = LENGTHS.map((length) => lengthFolder(root, length)).filter((folder) => existsSync(folder));
  if (folders.length === 0) {
    throw new UserError(`expected one of the folders ${LENGTHS.join(', ')}, found none`, {
      place: root,
      hint: HINT,
    });
  }
  return loaderDigest(LOADER, ...folders.flatMap((folder) => parquetFiles(folder, HINT)).map(fileDigest));
}

function lengthFolder(root: string, contextLength: number): string {
  return join(resolve(root), String(contextLength));
}
