/**
 * LongBench v2 (arXiv 2412.15204), from its official file `data.json`: 503 questions of four choices.
 *
 * Samples are all rows, or those of one difficulty, one length or both, in the order of the file. The
 * benchmark reports these groups beside the whole; a spec that sweeps `length` or `difficulty` has a row for each.
 */
import * as z from 'zod';
import { folderParam, loaderDigest, newTokensParam, openRecords, ROWS_IGNORE } from '../files/data-folder.js';
import { fillFields } from '../files/fields.js';
import { checkRecord, noSuchSample, type RecordFile, type FileRecord } from '../files/record-file.js';
import { passage } from '../files/row-fields.js';
import { strip } from '../scorers/python-text.js';
import { oneQuestion, type Prompt } from '../one-question.js';
import type { DataFiles } from '../files/data-files.js';
import type { Task } from '../types.js';
import { rightLetter } from './score.js';
import { CONTEXT, QUESTION } from './templates.js';

const DATASET = 'longbench-v2';
const LOADER = 'longbench-v2 1';

/** The benchmark's own limit, 128, and the 20 more of the harness that the SparK paper used. */
const NEW_TOKENS = 148;

const DIFFICULTIES = ['easy', 'hard'] as const;
const LENGTHS = ['short', 'medium', 'long'] as const;

const rowSchema = z.object({
  difficulty: z.enum(DIFFICULTIES),
  length: z.enum(LENGTHS),
  question: passage,
  choice_A: passage,
  choice_B: passage,
  choice_C: passage,
  choice_D: passage,
  answer: z.enum(['A', 'B', 'C', 'D']),
  context: passage,
});

const params = z.strictObject({
  difficulty: z
    .enum(DIFFICULTIES)
    .optional()
    .describe('only questions of this difficulty; where not given, all'),
  length: z
    .enum(LENGTHS)
    .optional()
    .describe('only contexts of this length (under 32k words, under 128k, longer); where not given, all'),
  folder: folderParam("LongBench v2's data.json", DATASET),
  max_new_tokens: newTokensParam("the benchmark's own limit and 20 more"),
});

export type LongBenchV2Params = z.infer<typeof params>;

export const longbenchV2Tasks: readonly Task<LongBenchV2Params>[] = [
  {
    name: 'longbench-v2/choice',
    family: 'longbench-v2',
    summary: 'hard questions on texts of 8k to 2M words, four choices, no examples',
    source: 'LongBench v2, arXiv 2412.15204; its file (spark-eval pull longbench-v2)',
    notes: [
      'The benchmark grants 128 new tokens. Zero-shot, without chain of thought.',
      'Only "The correct answer is (B)" or "The correct answer is B" chooses, as released; all else is wrong, not guessed.',
      "The harness of the SparK paper wants one of the two to be the whole prediction instead; the benchmark's own cut of long prompts is replaced by max_context:.",
    ],
    params,
    ignores: ROWS_IGNORE,
    newTokens: ({ max_new_tokens }) => max_new_tokens ?? NEW_TOKENS,
    open: (params, { files }) => {
      const file = openRecords(files, DATASET, params.folder, 'data.json');
      const chosen = (): readonly number[] | undefined => chosenRows(file, params, files);
      return {
        digest: loaderDigest(LOADER, file.digest),
        get rows() {
          return chosen()?.length ?? file.count;
        },
        sample: (index) => {
          const rows = chosen();
          const row = rows === undefined ? index : rows[index];
          if (row === undefined) throw noSuchSample(placeOf(file, params), index, rows!.length);
          return oneQuestion({
            ...readSample(file.record(row)),
            maxNewTokens: params.max_new_tokens ?? NEW_TOKENS,
          });
        },
        score: (answer, { answers }) => rightLetter(answer, answers),
      };
    },
  },
];

function readSample(record: FileRecord): Omit<Prompt, 'maxNewTokens'> {
  const row = checkRecord(rowSchema, record);
  return {
    place: record.place,
    context: fillFields(CONTEXT, { doc: strip(row.context) }),
    question: fillFields(QUESTION, {
      question: strip(row.question),
      A: strip(row.choice_A),
      B: strip(row.choice_B),
      C: strip(row.choice_C),
      D: strip(row.choice_D),
    }),
    answerPrefix: '',
    answers: [row.answer],
  };
}

/** Indices of the rows of the group, in the order of the file; undefined where the group is all. */
function chosenRows(
  file: RecordFile,
  { difficulty, length }: LongBenchV2Params,
  files: DataFiles,
): readonly number[] | undefined {
  if (difficulty === undefined && length === undefined) return undefined;
  const groups = files.once(`longbench-v2 groups ${file.path}`, () =>
    Array.from(file.records(), (record) => {
      const row = checkRecord(rowSchema, record);
      return { difficulty: row.difficulty, length: row.length };
    }),
  );
  return [...groups.keys()].filter(
    (row) =>
      (difficulty === undefined || groups[row]!.difficulty === difficulty) &&
      (length === undefined || groups[row]!.length === length),
  );
}

function placeOf(file: RecordFile, { difficulty, length }: LongBenchV2Params): string {
  return `${file.path} (${[difficulty, length].filter((word) => word !== undefined).join(', ')})`;
}
