/**
 * Data of the user's own: a file of JSON lines (or one JSON array), one sample a row, under a scorer of their choice.
 *
 * Decides the fields of a row, that every row is looked at before the first one is used, and what separates a question
 * from its context: its own white space, else a line break. One task for each scorer; a spec names them as
 * `{ file: my.jsonl, scorer: f1 }`.
 */
import * as z from 'zod';
import { loaderDigest, ROWS_IGNORE } from '../files/data-folder.js';
import type { DataFiles } from '../files/data-files.js';
import { checkRecord, type FileRecord, type RecordFile } from '../files/record-file.js';
import { newTokens, passage, text } from '../files/row-fields.js';
import { oneQuestion } from '../one-question.js';
import type { Sample, Task } from '../types.js';
import { OWN_SCORERS, type OwnScorer } from './scorers.js';

export const OWN_FAMILY = 'own';
const LOADER = 'own 1';
const NEW_TOKENS = 64;
const HINT = 'Relative paths start at the working directory.';
const ROW_HINT =
  'A row has context, question and answers (a list of texts); answer_prefix, max_new_tokens, classes and id may be added.';

const rowSchema = z.strictObject({
  /** For the user; not read. */
  id: z.union([z.string(), z.number()]).optional(),
  context: passage,
  question: z.string().default(''),
  answers: z.array(text).min(1, 'expected at least one answer'),
  answer_prefix: z.string().default(''),
  max_new_tokens: newTokens.optional(),
  classes: z.array(text).min(1, 'expected at least one class').optional(),
});

const params = z.strictObject({
  file: z
    .string()
    .min(1)
    .describe(
      'path of a file of JSON lines with context, question and answers (a list); answer_prefix, max_new_tokens, classes and id may be added',
    ),
  max_new_tokens: newTokens
    .default(NEW_TOKENS)
    .describe('tokens to generate at most, where a row does not say its own'),
});

export type OwnParams = z.infer<typeof params>;

export const ownTasks: readonly Task<OwnParams>[] = Object.entries<OwnScorer>(OWN_SCORERS).map(
  ([name, { summary, score, needsClasses }]) => {
    const schema = needsClasses === true ? rowSchema.required({ classes: true }) : rowSchema;
    const openChecked = (path: string, files: DataFiles): RecordFile => {
      const file = files.records(path, HINT);
      return files.once(`own/${name} rows ${file.path}`, () => {
        for (const record of file.records()) checkRecord(schema, record, ROW_HINT);
        return file;
      });
    };
    return {
      name: `${OWN_FAMILY}/${name}`,
      family: OWN_FAMILY,
      summary: `data of your own: ${summary}`,
      source: `a file that you name: { file: my.jsonl, scorer: ${name} }`,
      params,
      ignores: ROWS_IGNORE,
      open: ({ file: path, max_new_tokens }, { files }) => {
        const file = openChecked(path, files);
        return {
          digest: loaderDigest(LOADER, file.digest),
          rows: file.count,
          sample: (index) => readSample(file.record(index), max_new_tokens),
          score: (answer, question) => score(answer, question.answers, question),
        };
      },
    };
  },
);

function readSample(record: FileRecord, otherwise: number): Sample {
  const row = checkRecord(rowSchema, record);
  const { context, question, answers, answer_prefix, max_new_tokens, classes } = row;
  return oneQuestion({
    context,
    question: question === '' || /^\s/.test(question) ? question : `\n${question}`,
    answerPrefix: answer_prefix,
    answers,
    maxNewTokens: max_new_tokens ?? otherwise,
    ...(classes === undefined ? {} : { classes }),
  });
}
