/** Table 2: RULER at 16K, Llama-3.1-8B-Instruct, 20 % of the tokens kept. */
import { FAULTS } from '../faults.js';
import { patternOf, publishedMarks, SETTINGS } from './patterns.js';
import { published, publishedRows } from './published.js';
import type { PaperTable } from './types.js';

const TASKS: Readonly<Record<string, string>> = {
  niah_single_1: 'S1',
  niah_single_2: 'S2',
  niah_single_3: 'S3',
  niah_multikey_1: 'MK1',
  niah_multikey_2: 'MK2',
  niah_multikey_3: 'MK3',
  niah_multivalue: 'MV',
  niah_multiquery: 'MQ',
  vt: 'VT',
  cwe: 'CWE',
  fwe: 'FWE',
  qa_1: 'QA1',
  qa_2: 'QA2',
};

const EVICTED = 0.8;

export function table2(): PaperTable {
  const rows = publishedRows('table2-ruler16k-llama3.1-8b-instruct.csv');
  const vanilla = rows[0]!;
  const tasks = Object.keys(TASKS);
  return {
    title: 'Table 2: RULER at 16K, Llama-3.1-8B-Instruct, 20 % of the tokens kept',
    model: 'llama-3.1-8b-instruct',
    families: ['ruler', 'ruler-hub'],
    samples: Object.fromEntries(tasks.map((task) => [task, 500])),
    levels: { param: 'ratio', values: [EVICTED] },
    keyColumns: ['method', 'ratio'],
    columns: [...Object.values(TASKS), 'Avg'],
    sections: [
      {
        title: '',
        rows: rows.map((row) => ({
          title: row['method']!,
          keys: [row['key_channel_ratio']!],
          cells: [...tasks, undefined].map((task) => ({
            published: published(row, task ?? 'avg'),
            publishedFull: published(vanilla, task ?? 'avg')!,
            task,
            level: row === vanilla ? undefined : EVICTED,
            pattern: patternOf(row['method']!, published(row, 'key_channel_ratio')),
          })),
          marks: publishedMarks(row['method']!, false),
        })),
      },
    ],
    noise: { points: 0.5, source: '500 samples per task; no deviations are published' },
    footnotes: [FAULTS.think],
    settings: SETTINGS,
  };
}
