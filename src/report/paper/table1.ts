/** Table 1: LongBench, Llama-3-8B-Instruct, 128 and 512 tokens per KV head. */
import { FAULTS } from '../faults.js';
import { groupBy } from '../group-by.js';
import { LONGBENCH, LONGBENCH_NOISE, patternOf, publishedMarks, SETTINGS } from './patterns.js';
import { published, type PublishedRow, publishedRows } from './published.js';
import type { PaperRow, PaperTable } from './types.js';

export const TABLE1_FILE = 'table1-longbench-llama3-8b-instruct.csv';

const NOISE_MARK = 'c';

export function table1(): PaperTable {
  const rows = publishedRows(TABLE1_FILE);
  const tasks = Object.keys(LONGBENCH.tasks);
  const sections = groupBy(rows, (row) => row['kv_size']!);
  return {
    title: 'Table 1: LongBench, Llama-3-8B-Instruct',
    model: LONGBENCH.model,
    families: LONGBENCH.families,
    samples: LONGBENCH.samples,
    levels: { param: 'budget', values: [...sections.keys()].filter((size) => size !== '').map(Number) },
    keyColumns: ['method', 'ratio'],
    columns: [...Object.values(LONGBENCH.tasks), 'Avg'],
    sections: [...sections].map(([size, list]) => ({
      title: size === '' ? 'all tokens' : `KV size ${size}`,
      rows: list.map((row) => paperRow(row, rows[0]!, tasks)),
    })),
    noise: LONGBENCH_NOISE,
    footnotes: [
      FAULTS.pyramid,
      FAULTS.think,
      {
        mark: NOISE_MARK,
        text: 'Both budgets should be one computation on all but short prompts, and yet single published tasks differ by up to 4.4 points: these cells were not all made by the same code or hardware.',
      },
    ],
    settings: SETTINGS,
  };
}

function paperRow(row: PublishedRow, vanilla: PublishedRow, tasks: readonly string[]): PaperRow {
  const title = row['method']!;
  const pattern = patternOf(title, published(row, 'key_channel_ratio'));
  const level = published(row, 'kv_size');
  return {
    title,
    keys: [row['key_channel_ratio']!],
    cells: [...tasks, undefined].map((task) => ({
      published: published(row, task ?? 'avg'),
      publishedFull: published(vanilla, task ?? 'avg')!,
      task,
      level,
      pattern,
    })),
    marks: [...publishedMarks(title, true), ...(title === 'PyramidKV+SparK' ? [NOISE_MARK] : [])],
  };
}
