/**
 * The copy of LongBench that the SparK paper's tables were made with: a hub data set whose rows are prompts that stand
 * ready, cut into context, question and answer prefix, with the tokens to generate.
 *
 * A task's rows are those of the folder of its name; what the rows leave open is as the paper's
 * protocol has it.
 */
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import {
  dataFolder,
  folderParam,
  loaderDigest,
  newTokensParam,
  pullHint,
  ROWS_IGNORE,
} from '../files/data-folder.js';
import { openParquetFolder, parquetFiles } from '../files/parquet-folder.js';
import { checkRecord, type FileRecord } from '../files/record-file.js';
import { newTokensColumn, passage } from '../files/row-fields.js';
import { scoreLongBench, type LongBenchName } from '../scorers/longbench.js';
import { oneQuestion, type Prompt } from '../one-question.js';
import type { Task } from '../types.js';
import { factNotes, FACTS, LONGBENCH_NAMES } from './facts.js';
import { promptForm } from './protocol.js';

const FAMILY = 'longbench-hub';
const LOADER = 'longbench-hub 1';
const HINT = pullHint(FAMILY, 'folder');

const rowSchema = z.object({
  task: z.string(),
  context: passage,
  question: z.string(),
  answer_prefix: z.string(),
  answers: z.array(z.string()).min(1, 'expected at least one answer'),
  all_classes: z.array(z.string()).nullish(),
  max_new_tokens: newTokensColumn,
});
const COLUMNS = Object.keys(rowSchema.shape);

const params = z.strictObject({
  folder: folderParam("the copy's Parquet files, a folder for each task", FAMILY),
  max_new_tokens: newTokensParam('what each row says'),
});

export type LongBenchHubParams = z.infer<typeof params>;

export const longbenchHubTasks: readonly Task<LongBenchHubParams>[] = LONGBENCH_NAMES.map((name) => {
  const folderOf = ({ folder }: LongBenchHubParams): string =>
    join(resolve(dataFolder(FAMILY, folder)), name);
  return {
    name: `${FAMILY}/${name}`,
    family: FAMILY,
    summary: FACTS[name].summary,
    source: `LongBench, arXiv 2308.14508; the hub's Xnhyacinth/LongBench (spark-eval pull ${FAMILY})`,
    notes: factNotes(name),
    params,
    ignores: ROWS_IGNORE,
    newTokens: ({ max_new_tokens }) => max_new_tokens ?? promptForm(name, 'spark').maxNewTokens,
    open: async (given, { files }) => {
      const folder = folderOf(given);
      const digests = parquetFiles(folder, HINT).map((path) => files.digest(path));
      const table = await openParquetFolder(files, folder, { columns: COLUMNS, hint: HINT });
      return {
        digest: loaderDigest(LOADER, ...digests),
        rows: table.rows,
        sample: async (index) => {
          const prompt = readSample(name, await table.record(index));
          return oneQuestion({ ...prompt, maxNewTokens: given.max_new_tokens ?? prompt.maxNewTokens });
        },
        score: (answer, question) => scoreLongBench(name, answer, question.answers, question),
      };
    },
  };
});

function readSample(name: LongBenchName, record: FileRecord): Prompt {
  const row = checkRecord(rowSchema, record);
  if (row.task !== name) {
    throw new UserError(`task: expected ${name}, found ${JSON.stringify(row.task)}`, { place: record.place });
  }
  return {
    place: record.place,
    ...promptForm(name, 'spark'),
    context: row.context,
    question: row.question,
    answerPrefix: row.answer_prefix,
    answers: row.answers,
    maxNewTokens: row.max_new_tokens,
    ...(row.all_classes == null ? {} : { classes: row.all_classes }),
  };
}
