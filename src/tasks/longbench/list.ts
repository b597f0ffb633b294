/**
 * LongBench and LongBench-E (arXiv 2308.14508), from the official files: one `<task>.jsonl` each, `<task>_e.jsonl` of
 * LongBench-E.
 *
 * Samples are all rows in the order of the file, or those of one bin of lengths. LongBench-E reports its
 * bins, so that a spec which sweeps `length` has a row for each.
 */
import * as z from 'zod';
import { folderParam, loaderDigest, newTokensParam, openRecords, ROWS_IGNORE } from '../files/data-folder.js';
import { checkRecord, noSuchSample, type RecordFile, type FileRecord } from '../files/record-file.js';
import { passage } from '../files/row-fields.js';
import { scoreLongBench, type LongBenchName } from '../scorers/longbench.js';
import { oneQuestion, type Prompt } from '../one-question.js';
import type { DataFiles } from '../files/data-files.js';
import type { Task } from '../types.js';
import { factNotes, FACTS, LONGBENCH_NAMES } from './facts.js';
import { promptForm, promptTexts, protocolParam, type Protocol } from './protocol.js';

const DATASET = 'longbench';
const LOADER = 'longbench 1';

const rowSchema = z.object({
  input: z.string(),
  context: passage,
  answers: z.array(z.string()).min(1, 'expected at least one answer'),
  length: z.int().min(0),
  all_classes: z.array(z.string()).nullish(),
});

/** Words of English and characters of Chinese, as the data set counts them: from, and below. */
const BINS = { '0-4k': [0, 4000], '4-8k': [4000, 8000], '8k+': [8000, Infinity] } as const;

const params = z.strictObject({
  protocol: protocolParam,
  length: z
    .enum(Object.keys(BINS) as (keyof typeof BINS)[])
    .optional()
    .describe(
      'only rows of this length by the data set: below 4,000, below 8,000, longer; where not given, all',
    ),
  folder: folderParam("LongBench's files, one <task>.jsonl each", DATASET),
  max_new_tokens: newTokensParam('what the protocol says'),
});

export type LongBenchParams = z.infer<typeof params>;

export const longbenchTasks: readonly Task<LongBenchParams>[] = LONGBENCH_NAMES.map((name) =>
  officialTask('longbench', name, `${name}.jsonl`),
);

export const longbenchETasks: readonly Task<LongBenchParams>[] = LONGBENCH_NAMES.filter(
  (name) => FACTS[name].even,
).map((name) => officialTask('longbench-e', name, `${name}_e.jsonl`));

function officialTask(family: string, name: LongBenchName, file: string): Task<LongBenchParams> {
  const even = family === 'longbench' ? '' : '; lengths spread evenly';
  return {
    name: `${family}/${name}`,
    family,
    summary: `${FACTS[name].summary}${even}`,
    source: 'LongBench, arXiv 2308.14508; its files (spark-eval pull longbench)',
    notes: factNotes(name),
    params,
    ignores: ROWS_IGNORE,
    newTokens: ({ protocol, max_new_tokens }) => max_new_tokens ?? promptForm(name, protocol).maxNewTokens,
    open: ({ protocol, length, max_new_tokens, folder }, { files }) => {
      const records = openRecords(files, DATASET, folder, file);
      const inBin = (): readonly number[] | undefined => rowsOfBin(records, length, files);
      return {
        digest: loaderDigest(LOADER, records.digest),
        get rows() {
          return inBin()?.length ?? records.count;
        },
        sample: (index) => {
          const rows = inBin();
          const row = rows === undefined ? index : rows[index];
          if (row === undefined) throw noSuchSample(`${records.path} (${length})`, index, rows!.length);
          const prompt = readSample(name, protocol, records.record(row));
          return oneQuestion({ ...prompt, maxNewTokens: max_new_tokens ?? prompt.maxNewTokens });
        },
        score: (answer, question) => scoreLongBench(name, answer, question.answers, question),
      };
    },
  };
}

function readSample(name: LongBenchName, protocol: Protocol, record: FileRecord): Prompt {
  const { input, context, answers, all_classes } = checkRecord(rowSchema, record);
  return {
    place: record.place,
    ...promptTexts(name, protocol, { context, input }),
    ...promptForm(name, protocol),
    answers,
    ...(all_classes == null ? {} : { classes: all_classes }),
  };
}

/** Indices of the rows of a bin, in the order of the file; undefined where no bin is asked for. */
function rowsOfBin(
  records: RecordFile,
  bin: LongBenchParams['length'],
  files: DataFiles,
): readonly number[] | undefined {
  if (bin === undefined) return undefined;
  const [from, below] = BINS[bin];
  const lengths = files.once(`longbench lengths ${records.path}`, () =>
    Array.from(records.records(), (record) => checkRecord(rowSchema, record).length),
  );
  return [...lengths.keys()].filter((row) => lengths[row]! >= from && lengths[row]! < below);
}
