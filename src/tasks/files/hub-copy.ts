/**
 * Benchmarks as the harness that the SparK paper used reads them: copies on the hub, whose rows are prompts that stand
 * ready, cut into context, question and answer prefix, with the tokens to generate.
 *
 * A task's rows are those of the folder of its name.
 */
import { join, resolve } from 'node:path';
import * as z from 'zod';
import {
  dataFolder,
  folderParam,
  loaderDigest,
  newTokensParam,
  pullHint,
  ROWS_IGNORE,
} from './data-folder.js';
import { openParquetFolder, parquetFiles } from './parquet-folder.js';
import { checkRecord } from './record-file.js';
import { newTokensColumn, passage, text } from './row-fields.js';
import { oneQuestion } from '../one-question.js';
import type { AnswersScorer } from '../scorers/types.js';
import type { Task } from '../types.js';

export interface HubCopy {
  /** Also the name that `spark-eval pull` knows. */
  readonly family: string;
  /** `owner/name` on the hub. */
  readonly repository: string;
  /** A parameter that chooses between `score` and `official`. */
  readonly variant?: z.ZodType<HubParams['variant']>;
  readonly tasks: readonly HubTask[];
}

export interface HubTask {
  /** Without the family; also the folder of its files. */
  readonly name: string;
  readonly summary: string;
  readonly notes?: readonly string[] | undefined;
  readonly score: AnswersScorer;
  /** The benchmark's own score, where another than that of the tables. */
  readonly official?: AnswersScorer;
  /** What the answers of a row are, where not the row's own. */
  readonly answersOf?: (row: HubRow, place: string) => readonly string[];
}

/** Part of every digest: to be raised whenever the same row would give another sample. */
const LOADER = 'hub-copy 1';

const rowSchema = z.object({
  context: passage,
  question: z.string(),
  answer_prefix: z.string(),
  answer: z.union(
    [text.transform((answer) => [answer]), z.array(text).min(1)],
    'expected a text or a list of them',
  ),
  max_new_tokens: newTokensColumn,
});
const COLUMNS = Object.keys(rowSchema.shape);

export type HubRow = z.infer<typeof rowSchema>;

export interface HubParams {
  readonly variant?: 'kvpress' | 'official' | undefined;
  readonly folder?: string | undefined;
  readonly max_new_tokens?: number | undefined;
}

export function hubCopyTasks({ family, repository, variant, tasks }: HubCopy): Task<HubParams>[] {
  const common = {
    folder: folderParam(`the copy's Parquet files, a folder for each task`, family),
    max_new_tokens: newTokensParam('what each row says'),
  };
  const params: z.ZodType<HubParams> =
    variant === undefined ? z.strictObject(common) : z.strictObject({ variant, ...common });
  return tasks.map(({ name, summary, notes, score, official = score, answersOf }) => {
    const folderOf = ({ folder }: HubParams): string => join(resolve(dataFolder(family, folder)), name);
    const hint = pullHint(family, 'folder');
    return {
      name: `${family}/${name}`,
      family,
      summary,
      source: `the hub's ${repository} (spark-eval pull ${family})`,
      ...(notes === undefined ? {} : { notes }),
      params,
      ignores: ROWS_IGNORE,
      open: async (given, { files }) => {
        const folder = folderOf(given);
        const digests = parquetFiles(folder, hint).map((path) => files.digest(path));
        const table = await openParquetFolder(files, folder, { columns: COLUMNS, hint });
        return {
          digest: loaderDigest(LOADER, ...digests),
          rows: table.rows,
          sample: async (index) => {
            const record = await table.record(index);
            const row = checkRecord(rowSchema, record);
            return oneQuestion({
              place: record.place,
              context: row.context,
              question: row.question,
              answerPrefix: row.answer_prefix,
              answers: answersOf?.(row, record.place) ?? row.answer,
              maxNewTokens: given.max_new_tokens ?? row.max_new_tokens,
            });
          },
          score: (answer, { answers }) => (given.variant === 'official' ? official : score)(answer, answers),
        };
      },
    };
  });
}
