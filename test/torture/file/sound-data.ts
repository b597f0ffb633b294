/**
 * Sound specs, data files and results, small: what is broken afterwards.
 *
 * Rows have the forms of the official files.
 */
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { fixture, json, jsonLines } from './content.js';
import type { Files } from './kind.js';

export const SPECS: readonly Files[] = [
  {
    'spec.yaml': Buffer.from(`# a spec
name: torture
model: [spark-nano, ./some/model.gguf]
tasks:
  - ruler/niah_single_1
  - { task: needle/map, samples: 3, depth: [0, 50, 100] }
  - { file: my.jsonl, scorer: f1 }
context: [1024, 2048]
max_context: 4096
samples: 20
seed: [1, 2]
question: compressed
cache:
  - full
  - snapkv: &base { ratio: 0.5, window: 32 }
  - [{ snapkv: *base }, { spark: { ratio: [0.5, 0.8] } }]
  - adakv: { base: snapkv, with: { window: 32 }, ratio: 0.5 }
  - kivi: { bits: 4, residual: 32 }
cache_dtype: bfloat16
output: out
`),
  },
  {
    'spec.yaml': Buffer.from(
      '{"name":"j","model":"spark-nano","tasks":["ruler"],"context":512,"cache":["full",{"tova":{"budget":64}}]}\n',
    ),
  },
];

const passage = 'A long text {with} braces. It has two sentences!\n';
const official = {
  context: passage,
  input: 'What?',
  answers: ['one', 'two'],
  length: 123,
  all_classes: ['one', 'three'],
};

/** A file each, under the name by which a task looks for it. */
export const ROWS: readonly Files[] = [
  {
    'own.jsonl': jsonLines(
      { context: passage, question: 'What?', answers: ['one', 'two'], id: 1 },
      { context: 'ä\u2028', answers: ['x'], answer_prefix: 'A:', max_new_tokens: 7, classes: ['x', 'y'] },
    ),
  },
  {
    'own.jsonl': json([
      { context: passage, answers: ['one'] },
      { context: 'b', answers: ['c'], question: '\nq' },
    ]),
  },
  ...Object.entries<Buffer>({
    'classes.jsonl': jsonLines({ context: 'a', answers: ['x'], classes: ['x', 'y'] }),
    'qasper.jsonl': jsonLines(official, { ...official, all_classes: null }),
    'trec.jsonl': jsonLines({ ...official, input: 'Question: How far is it ?\nType:' }),
    'passkey.jsonl': jsonLines({
      id: 1,
      context: passage,
      input: 'What is the key?',
      answer: ['71432'],
      options: [],
    }),
    'longbook_choice_eng.jsonl': jsonLines({
      context: passage,
      input: 'Who?',
      answer: ['b'],
      options: ['a', 'b', 'c', 'd'],
    }),
    'math_find.jsonl': jsonLines({ context: passage, input: 'The largest number of it', answer: 3 }),
    'longdep_qa.jsonl': jsonLines(
      {
        input: passage,
        qa_pairs: `[{'Q': 'Who?', 'A': "it's", 'n': (1, -2.5e3, None, True)}]`,
        output: 'none',
      },
      { context: passage, question: 'Who?', answer: 'she' },
    ),
    'shortdep_cloze.jsonl': jsonLines({
      input: passage,
      qa_pairs: `[{'Q': '<mask-0> is', 'A': {'<mask-0>': 'Ada'}}]`,
      output: 'none',
    }),
    'data.json': json([
      {
        ...{ difficulty: 'easy', length: 'short', question: 'Which?', context: passage, answer: 'B' },
        ...{ choice_A: 'a', choice_B: 'b', choice_C: 'c', choice_D: 'd' },
      },
    ]),
    'qasper/validation.jsonl': jsonLines(
      {
        id: 'a',
        input: 'document 😀 query\nAnswer:',
        output: 'one',
        document_end_index: 9,
        query_end_index: 16,
      },
      {
        id: 'a',
        input: 'document 😀 query\nAnswer:',
        output: 'two',
        document_end_index: 9,
        query_end_index: 16,
      },
    ),
    'squad.json': json({
      data: [
        {
          paragraphs: [
            {
              context: passage,
              qas: [{ question: 'Who?', is_impossible: false, answers: [{ text: 'she' }] }],
            },
            { context: 'Other.', qas: [{ question: 'Why?', is_impossible: true, answers: [] }] },
          ],
        },
      ],
    }),
    'hotpot.json': json([
      {
        question: 'Who?',
        answer: 'she',
        context: [
          ['Title', ['One. ', 'Two.']],
          ['Other', ['x']],
        ],
      },
    ]),
  }).map(([path, content]): Files => ({ [path]: content })),
];

const column = (name: string, data: string[]) => ({ name, data, type: 'STRING' as const });
const texts = ['A long text.', 'ä\n', '', ...Array.from({ length: 5 }, () => 'repeated '.repeat(20))];

function parquet(options: {
  readonly codec: 'SNAPPY' | 'UNCOMPRESSED';
  readonly rowGroupSize: number;
}): Buffer {
  const buffer = parquetWriteBuffer({
    ...options,
    columnData: [
      column(
        'context',
        texts.map((text) => `${text}.`),
      ),
      column('question', texts),
      column(
        'answer_prefix',
        texts.map(() => 'A:'),
      ),
      { name: 'answer', data: texts.map((_, i) => [`a${i}`, 'b']) },
      { name: 'max_new_tokens', data: texts.map((_, i) => BigInt(i + 1)), type: 'INT64' },
      column(
        'task',
        texts.map((_, i) => (i < 5 ? 'niah_single_1' : 'vt')),
      ),
    ],
  });
  return Buffer.from(buffer);
}

export function parquetFolders(): readonly Files[] {
  const [packed, plain] = [
    parquet({ codec: 'SNAPPY', rowGroupSize: 3 }),
    parquet({ codec: 'UNCOMPRESSED', rowGroupSize: 100 }),
  ];
  return [
    { 'passkey/x.parquet': packed },
    { 'passkey/x.parquet': plain },
    { '4096/x.parquet': packed },
    { '4096/x.parquet': plain },
  ];
}

export const ARCHIVES: readonly Files[] = [
  {
    'data.zip': Buffer.from(
      zipSync({ 'data/a.jsonl': jsonLines({ a: 1 }), 'data/b/c.jsonl': jsonLines({ b: 'x'.repeat(3000) }) }),
    ),
  },
  {
    'data.zip': Buffer.from(
      zipSync({ 'a.jsonl': jsonLines({ a: 1 }), 'notes.txt': Buffer.from('hello') }, { level: 0 }),
    ),
  },
];

export const RESULTS: readonly Files[] = ['sweep', 'table1-part'].map((name) => ({
  'journal.jsonl': fixture(`results/${name}/journal.jsonl`),
  'manifest.json': fixture(`results/${name}/manifest.json`),
}));

export const TEXTS: readonly Files[] = [
  {
    'text.txt': Buffer.from(
      'One sentence, then another. "Is it?" Mr. Smith said so!\n\nÄ new paragraph 😀. '.repeat(10),
    ),
  },
];

export const DATA_LOCKS: readonly Files[] = [
  {
    'pull.json': json({
      ...{ format: 1, dataset: 'd', source: 's', revision: null, pulledAt: '2026-01-01T00:00:00.000Z' },
      files: { 'a.jsonl': { bytes: 3, sha256: 'x' }, 'b/c.jsonl': { bytes: 4, sha256: 'y' } },
    }),
    'a.jsonl': Buffer.from('{}\n'),
  },
];
