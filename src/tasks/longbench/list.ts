/**
 * LongBench and LongBench-E (arXiv 2308.14508), from the official files: one `<task>.jsonl` each, `<task>_e.jsonl` of
 * LongBench-E.
 *
 * Decides which rows are samples: all in the order of the file, or those of one bin of lengths. LongBench-E reports its
 * bins, so that a spec which sweeps `length` has a row for each.
 */
import * as z from 'zod';
import { folderParam, loaderDigest, newTokensParam, openRecords, ROWS_IGNORE } from '../files/data-folder.js';
import { checkRecord, noSuchSample, type RecordFile, type FileRecord } from '../files/record-file.js';
import { passage } from '../files/row-fields.js';
import { scoreLongBench, type LongBenchName } from '../scorers/longbench.js';
import type { Sample, Task } from '../types.js';
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
  const open = ({ folder }: LongBenchParams): RecordFile => openRecords(DATASET, folder, file);
  const even = family === 'longbench' ? '' : '; lengths spread evenly';
  return {
    name: `${family}/${name}`,
    family,
    summary: `${FACTS[name].summary}${even}`,
    source: 'LongBench, arXiv 2308.14508; its files (spark-eval pull longbench)',
    notes: factNotes(name),
    params,
    ignores: ROWS_IGNORE,
    sample: ({ index, params: { protocol, length, max_new_tokens, folder } }) => {
      const rows = open({ protocol, folder });
      const sample = readSample(name, protocol, rows.record(rowOf(rows, length, index)));
      return max_new_tokens === undefined ? sample : { ...sample, maxNewTokens: max_new_tokens };
    },
    score: (prediction, answers, context) => scoreLongBench(name, prediction, answers, context),
    dataDigest: (given) => loaderDigest(LOADER, open(given).digest),
  };
}

function readSample(name: LongBenchName, protocol: Protocol, record: FileRecord): Sample {
  const { input, context, answers, all_classes } = checkRecord(rowSchema, record);
  return {
    ...promptTexts(name, protocol, { context, input }),
    ...promptForm(name, protocol),
    answers,
    ...(all_classes == null ? {} : { classes: all_classes }),
  };
}

const lengths = new WeakMap<RecordFile, readonly number[]>();

/** The row of the n-th sample. */
function rowOf(file: RecordFile, bin: LongBenchParams['length'], index: number): number {
  if (bin === undefined) return index;
  const [from, below] = BINS[bin];
  const inBin = [...lengthsOf(file).entries()].filter(([, length]) => length >= from && length < below);
  const found = inBin[index];
  if (found === undefined) throw noSuchSample(`${file.path} (${bin})`, index, inBin.length);
  return found[0];
}

/** The length of every row, read once. */
function lengthsOf(file: RecordFile): readonly number[] {
  let found = lengths.get(file);
  if (found === undefined) {
    found = Array.from(file.records(), (record) => checkRecord(rowSchema, record).length);
    lengths.set(file, found);
  }
  return found;
}
