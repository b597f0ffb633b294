/**
 * Sound files of every kind, small: what is broken afterwards.
 *
 * Decides their content. The model is that of `test/fixtures/gguf` in the forms in which models come.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expectedTensors } from '../../../src/model/check-weights.js';
import { ggufConfig } from '../../../src/model/gguf-config.js';
import { withHuggingFaceNames } from '../../../src/model/gguf-names.js';
import { ggufTokenizerJson } from '../../../src/model/gguf-tokenizer.js';
import { openGguf } from '../../../src/model/gguf.js';
import { FIXTURES, safetensorsBytes, safetensorsParts, type RawTensor } from '../../model/support.js';
import type { Files } from './kind.js';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value, undefined, 1));
const lines = (...rows: readonly unknown[]): Buffer =>
  Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const fixture = (path: string): Buffer => readFileSync(join(FIXTURES, path));

export const GGUF: readonly Files[] = [{ 'model.gguf': fixture('gguf/tiny-llama.gguf') }];
export const GGUF_TENSORS: readonly Files[] = [{ 'model.gguf': fixture('gguf/quantised.gguf') }];

const f32 = (shape: readonly number[], values: Float32Array): RawTensor => ({
  dtype: 'F32',
  shape,
  bytes: Buffer.from(values.buffer, values.byteOffset, values.byteLength),
});

function safetensors(tensors: Readonly<Record<string, RawTensor>>): Buffer {
  const { header, data } = safetensorsParts(tensors);
  return safetensorsBytes(header, data);
}

/** The GGUF's model as a checkpoint folder, whole and in two shards. */
export function checkpoints(): { readonly whole: Files; readonly shards: Files } {
  const gguf = openGguf(join(FIXTURES, 'gguf/tiny-llama.gguf'));
  const config = ggufConfig(gguf);
  const weights = withHuggingFaceNames(gguf.tensors, config);
  const tensors = [...expectedTensors(config)].map(
    ([name, shape]) => [name, f32(shape, weights.read(name))] as const,
  );
  const source = gguf.metadata.optionalString('tokenizer.chat_template')!;
  gguf.tensors.close();
  const common: Files = {
    'config.json': json({
      ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', num_hidden_layers: 1, hidden_size: 8 },
      ...{
        num_attention_heads: 2,
        num_key_value_heads: 1,
        head_dim: 4,
        intermediate_size: config.intermediate,
      },
      ...{
        vocab_size: config.vocabulary,
        rms_norm_eps: 1e-5,
        max_position_embeddings: 64,
        tie_word_embeddings: true,
      },
      ...{
        attention_bias: false,
        mlp_bias: false,
        hidden_act: 'silu',
        rope_theta: 1000,
        bos_token_id: 1,
        eos_token_id: [2],
      },
      rope_scaling: {
        ...{ rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
        original_max_position_embeddings: 16,
      },
    }),
    'generation_config.json': json({ eos_token_id: [2, 3], temperature: 0.6 }),
    'tokenizer.json': json(ggufTokenizerJson(gguf.metadata)),
    'tokenizer_config.json': json({
      ...{
        bos_token: '<s>',
        eos_token: { content: '</s>' },
        clean_up_tokenization_spaces: false,
        chat_template: source,
      },
    }),
  };
  const [first, second] = [tensors.slice(0, 4), tensors.slice(4)].map(Object.fromEntries<RawTensor>);
  const placed = tensors.map(([name], i) => [name, `part-${i < 4 ? 1 : 2}.safetensors`] as const);
  const sha = (content: string): string => createHash('sha256').update(content).digest('hex');
  return {
    whole: {
      ...common,
      'model.safetensors': safetensors(Object.fromEntries(tensors)),
      'pull.json': json({
        ...{ format: 1, model: 'tiny', source: 'somewhere', pulledAt: '2026-01-01T00:00:00.000Z' },
        files: { 'model.safetensors': { bytes: 1, modifiedMs: 1, sha256: sha('x') } },
      }),
    },
    shards: {
      ...common,
      'model.safetensors.index.json': json({
        metadata: { total_size: 1 },
        weight_map: Object.fromEntries(placed),
      }),
      'part-1.safetensors': safetensors(first!),
      'part-2.safetensors': safetensors(second!),
    },
  };
}

/** Every number format that is read, and one that is not. */
export const SAFETENSORS: readonly Files[] = [
  {
    'x.safetensors': safetensors({
      a: f32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
      b: { dtype: 'F16', shape: [4], bytes: Buffer.from('003c00bc007e00fc', 'hex') },
      c: { dtype: 'BF16', shape: [2, 1], bytes: Buffer.from('803f80bf', 'hex') },
      empty: { dtype: 'F32', shape: [0, 3], bytes: Buffer.alloc(0) },
    }),
  },
];

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
    'own.jsonl': lines(
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
    'classes.jsonl': lines({ context: 'a', answers: ['x'], classes: ['x', 'y'] }),
    'qasper.jsonl': lines(official, { ...official, all_classes: null }),
    'trec.jsonl': lines({ ...official, input: 'Question: How far is it ?\nType:' }),
    'passkey.jsonl': lines({
      id: 1,
      context: passage,
      input: 'What is the key?',
      answer: ['71432'],
      options: [],
    }),
    'longbook_choice_eng.jsonl': lines({
      context: passage,
      input: 'Who?',
      answer: ['b'],
      options: ['a', 'b', 'c', 'd'],
    }),
    'math_find.jsonl': lines({ context: passage, input: 'The largest number of it', answer: 3 }),
    'longdep_qa.jsonl': lines(
      {
        input: passage,
        qa_pairs: `[{'Q': 'Who?', 'A': "it's", 'n': (1, -2.5e3, None, True)}]`,
        output: 'none',
      },
      { context: passage, question: 'Who?', answer: 'she' },
    ),
    'shortdep_cloze.jsonl': lines({
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
    'qasper/validation.jsonl': lines(
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
      zipSync({ 'data/a.jsonl': lines({ a: 1 }), 'data/b/c.jsonl': lines({ b: 'x'.repeat(3000) }) }),
    ),
  },
  {
    'data.zip': Buffer.from(
      zipSync({ 'a.jsonl': lines({ a: 1 }), 'notes.txt': Buffer.from('hello') }, { level: 0 }),
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

export const FACTORS_CONFIG = { layers: 1, hidden: 6, kvHeads: 2, headDim: 4 };

/** Low-rank factors of a model of that shape. */
export function factors(): Files {
  const numbers = (rows: number, columns: number): RawTensor =>
    f32(
      [rows, columns],
      Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i)),
    );
  const matrices = safetensors({
    ...{ 'layers.0.keys.0.down': numbers(6, 2), 'layers.0.keys.0.up': numbers(2, 4) },
    ...{ 'layers.0.keys.1.down': numbers(6, 3), 'layers.0.keys.1.up': numbers(3, 4) },
    ...{ 'layers.0.values.0.down': numbers(6, 5), 'layers.0.values.0.up': numbers(5, 8) },
  });
  return withDigest({
    'factors.safetensors': matrices,
    'factors.json': json({
      made: { by: 'torture' },
      digest: '',
      layers: [
        {
          keys: [
            { heads: [1], rank: 2 },
            { heads: [0], rank: 3 },
          ],
          values: [{ heads: [0, 1], rank: 5 }],
        },
      ],
    }),
  });
}

/** The description with the digest of the matrices as they are now. */
export function withDigest(files: Files): Files {
  const digest = createHash('sha256').update(files['factors.safetensors']!).digest('hex');
  const description = files['factors.json']!.toString().replace(
    /"digest": ?"[0-9a-f]*"/,
    `"digest": "${digest}"`,
  );
  return { ...files, 'factors.json': Buffer.from(description) };
}
