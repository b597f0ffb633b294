/**
 * The copy of RULER that the SparK paper's tables were made with: a hub data set with 500 samples per task at 4096,
 * 8192 and 16384 tokens, counted with the tokenizer of Llama 3.1 for every model.
 *
 * The n-th sample of a task is its n-th row at the spec's context length; the seed changes
 * nothing. With another tokenizer a prompt may be longer than the context length says. It is passed on as it stands;
 * what does not fit a model is cut in the middle, as everywhere.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { dataFolder, folderParam, loaderDigest, pullHint } from '../files/data-folder.js';
import type { DataFiles } from '../files/data-files.js';
import { openParquetFolder, parquetFiles } from '../files/parquet-folder.js';
import { checkRecord } from '../files/record-file.js';
import { newTokensColumn, passage, text } from '../files/row-fields.js';
import { oneQuestion } from '../one-question.js';
import type { Task } from '../types.js';
import { rulerTasks } from './list.js';
import { anyFound, fractionFound } from './score.js';

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
  const score = task.startsWith('qa_') ? anyFound : fractionFound;
  return {
    name: `${FAMILY}/${task}`,
    family: FAMILY,
    summary: generated.summary,
    source: `RULER, arXiv 2404.06654; the hub's simonjegou/ruler (spark-eval pull ${DATASET})`,
    params,
    ignores: ['seed'],
    open: async (given, { contextLength, files }) => {
      const root = dataFolder(DATASET, given.folder);
      const digest = folderDigest(root, files);
      checkLength(task, contextLength);
      const table = await openParquetFolder(files, lengthFolder(root, contextLength), {
        columns: COLUMNS,
        only: { column: 'task', equals: task },
        hint: HINT,
      });
      return {
        digest,
        rows: table.rows,
        sample: async (index) => {
          const record = await table.record(index);
          const { context, question, answer_prefix, answer, max_new_tokens } = checkRecord(row, record);
          return oneQuestion({
            place: record.place,
            context,
            question,
            answerPrefix: answer_prefix,
            answers: answer,
            maxNewTokens: max_new_tokens,
          });
        },
        score: (text, { answers }) => score(text, answers),
      };
    },
  };
});

function checkLength(task: string, contextLength: number): void {
  if (LENGTHS.some((length) => length === contextLength)) return;
  throw new UserError(
    `${FAMILY}/${task}: expected a context of ${LENGTHS.join(', ')} tokens, found ${contextLength}`,
    { hint: `ruler/${task} generates samples of any length.`, exitCode: 2 },
  );
}

/** Of all lengths that are there: a folder that gets another one counts as another data set. */
function folderDigest(root: string, files: DataFiles): string {
  const folders = LENGTHS.map((length) => lengthFolder(root, length)).filter((folder) => existsSync(folder));
  if (folders.length === 0) {
    throw new UserError(`expected one of the folders ${LENGTHS.join(', ')}, found none`, {
      place: root,
      hint: HINT,
    });
  }
  return loaderDigest(
    LOADER,
    ...folders.flatMap((folder) => parquetFiles(folder, HINT)).map((path) => files.digest(path)),
  );
}

function lengthFolder(root: string, contextLength: number): string {
  return join(resolve(root), String(contextLength));
}
