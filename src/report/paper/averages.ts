/**
 * Tables 3 and 4 of the paper, and its text on values.
 *
 * Averages over LongBench, SnapKV first, a column for each budget.
 */
import { groupBy } from '../group-by.js';
import { LONGBENCH, LONGBENCH_NOISE, patternOf, SETTINGS, sparkStep } from './patterns.js';
import { published, type PublishedRow, publishedRows } from './published.js';
import { TABLE1_FILE } from './table1.js';
import type { PaperTable, ParamValue, Pattern } from './types.js';

/** Table 3: what stands in for pruned channels. */
export function table3(): PaperTable {
  return averages({
    title: 'Table 3: recovery of pruned channels, LongBench average, Llama-3-8B-Instruct, SnapKV+SparK',
    file: 'table3-recovery-longbench-avg.csv',
    keyColumns: ['recovery', 'ratio'],
    namedBy: ['recovery', 'key_channel_ratio'],
    patternOf: (row) => onSnapKv({ recovery: row['recovery']!, ratio: published(row, 'key_channel_ratio')! }),
    marksOf: (row) => (row['recovery'] === 'degenerate' ? [] : ['a']),
    footnotes: [
      {
        mark: 'a',
        text: 'Samples are given to channels by rank, an order that costs more bits than it saves: as released this stores dense keys.',
      },
    ],
  });
}

/** Table 4: channels by saliency. As released, the adaptive forms recover nothing. */
export function table4(): PaperTable {
  const variants: Readonly<Record<string, Readonly<Record<string, ParamValue>>>> = {
    'spark-0.5': { ratio: 0.5 },
    'spark-p-0.99': { adaptive: 'p', threshold: 0.99, recovery: 'none' },
    'spark-g-5': { adaptive: 'g5', threshold: 0.99, recovery: 'none' },
    'spark-g-4': { adaptive: 'g4', threshold: 0.99, recovery: 'none' },
  };
  return averages({
    title: 'Table 4: adaptive pruning, LongBench average, Llama-3-8B-Instruct, SnapKV+SparK',
    file: 'table4-adaptive-longbench-avg.csv',
    keyColumns: ['variant', 'pruned (published)'],
    namedBy: ['variant', 'overall_prune_ratio'],
    patternOf: (row) => onSnapKv(variants[row['variant']!]!),
    marksOf: (row) => (row['variant'] === 'spark-0.5' ? [] : ['a']),
    footnotes: [
      {
        mark: 'a',
        text: 'The released scripts run the adaptive forms without recovery (recovery: none), and the group sizes are those of its history. Whether the published row used recovery cannot be told.',
      },
    ],
  });
}

/** Keys and values together, from the text. */
export function valueChannels(): PaperTable {
  return averages({
    title: 'Keys and values pruned together, LongBench average, Llama-3-8B-Instruct (from the text)',
    file: 'value-channels-longbench-avg.csv',
    keyColumns: ['method', 'key ratio', 'value ratio'],
    namedBy: ['method', 'key_channel_ratio', 'value_channel_ratio'],
    patternOf: (row) => {
      const ratio = published(row, 'key_channel_ratio');
      if (ratio === undefined) return patternOf(row['method']!, undefined);
      return onSnapKv({ ratio, value_ratio: published(row, 'value_channel_ratio') ?? 0 });
    },
    marksOf: (row) => (row['avg'] === '' ? ['a'] : []),
    footnotes: [
      {
        mark: 'a',
        text: 'Only described: (0.5, 0.3) "comparable to or exceeding" keys alone, (0.8, 0.8) a loss "within 5 % on average". The table is in an appendix that is not published.',
      },
    ],
  });
}

interface Averages extends Pick<PaperTable, 'title' | 'keyColumns' | 'footnotes'> {
  readonly file: string;
  /** Columns of the file that name a row; the first is its title. */
  readonly namedBy: readonly string[];
  readonly patternOf: (row: PublishedRow) => Pattern;
  readonly marksOf: (row: PublishedRow) => readonly string[];
}

function averages({ title, file, keyColumns, namedBy, patternOf, marksOf, footnotes }: Averages): PaperTable {
  const rows = publishedRows(file);
  const sizes = [...new Set(rows.map((row) => Number(row['kv_size'])))];
  const publishedFull = published(publishedRows(TABLE1_FILE)[0]!, 'avg')!;
  return {
    title,
    model: LONGBENCH.model,
    families: LONGBENCH.families,
    samples: LONGBENCH.samples,
    levels: { param: 'budget', values: sizes },
    keyColumns,
    columns: sizes.map((size) => `KV ${size}`),
    sections: [
      {
        title: '',
        rows: [...groupBy(rows, (row) => JSON.stringify(namedBy.map((column) => row[column])))].map(
          ([, [first, ...others]]) => ({
            title: first![namedBy[0]!]!,
            keys: namedBy.slice(1).map((column) => first![column]!),
            cells: [first!, ...others].map((row) => ({
              published: published(row, 'avg'),
              publishedFull,
              task: undefined,
              level: Number(row['kv_size']),
              pattern: patternOf(row),
            })),
            marks: marksOf(first!),
          }),
        ),
      },
    ],
    noise: LONGBENCH_NOISE,
    footnotes,
    settings: SETTINGS,
  };
}

function onSnapKv(params: Readonly<Record<string, ParamValue>>): Pattern {
  return [...patternOf('SnapKV', undefined), sparkStep(params)];
}
