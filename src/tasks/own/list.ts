/**
 * Data of the user's own: a file of JSON lines (or one JSON array), one sample a row, under a scorer of their choice.
 *
 * One task for each scorer; a spec names them as `{ file: my.jsonl, scorer: f1 }`. Every row is looked at before the first
 * one is used. Texts are compared in Unicode's composed form (NFC), as keyboards and models write them.
 */
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { loaderDigest, ROWS_IGNORE } from '../files/data-folder.js';
import type { DataFiles } from '../files/data-files.js';
import { checkRecord, type FileRecord, type RecordFile } from '../files/record-file.js';
import { newTokens, passage, text } from '../files/row-fields.js';
import { oneQuestion } from '../one-question.js';
import type { Sample, Task } from '../types.js';
import { OWN_SCORERS, type OwnScorer } from './scorers.js';

export const OWN_FAMILY = 'own';
const LOADER = 'own 2';
const NEW_TOKENS = 64;
const HINT = 'Relative paths start at the folder of the spec.';
const ROW_HINT =
  'A row has context, question and answers (a list of texts); answer_prefix, max_new_tokens, classes and id may be added.';

const rowSchema = z.strictObject({
  /** For the user; not read. */
  id: z.union([z.string(), z.number()]).optional(),
  context: passage,
  question: z.string().default(''),
  answers: z.array(passage).min(1, 'expected at least one answer'),
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
  ([name, scorer]) => {
    const { summary, score, needsClasses } = scorer;
    const schema = needsClasses === true ? rowSchema.required({ classes: true }) : rowSchema;
    const openChecked = (path: string, files: DataFiles): RecordFile => {
      const file = files.records(path, HINT);
      return files.once(`own/${name} rows ${file.path}`, () => {
        for (const record of file.records()) {
          checkAnswers(scorer, checkRecord(schema, record, ROW_HINT), record.place, name);
        }
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
          score: (answer, { answers, classes }) =>
            score(composed(answer), answers.map(composed), { classes: classes?.map(composed) }),
        };
      },
    };
  },
);

function readSample(record: FileRecord, otherwise: number): Sample {
  const row = checkRecord(rowSchema, record);
  const { context, question, answers, answer_prefix, max_new_tokens, classes } = row;
  return oneQuestion({
    place: record.place,
    context,
    question: question === '' || /^\s/.test(question) ? question : `\n${question}`,
    answerPrefix: answer_prefix,
    answers,
    maxNewTokens: max_new_tokens ?? otherwise,
    ...(classes === undefined ? {} : { classes }),
  });
}

/** Throws UserError with file and line for an answer that no prediction could match under the scorer. */
function checkAnswers(
  { refuses }: OwnScorer,
  { answers, classes = [] }: z.infer<typeof rowSchema>,
  place: string,
  scorer: string,
): void {
  for (const [index, answer] of answers.entries()) {
    const expected = refuses?.(composed(answer), classes.map(composed));
    if (expected === undefined) continue;
    throw new UserError(`answers.${index}: expected ${expected}, found ${JSON.stringify(answer)}`, {
      place,
      hint: `No prediction could match this answer under scorer: ${scorer}; choose another scorer or another answer.`,
    });
  }
}

function composed(text: string): string {
  return text.normalize('NFC');
}
