import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { DataFiles } from '../../../src/tasks/files/data-files.js';
import type { HubParams } from '../../../src/tasks/files/hub-copy.js';
import { infinitebenchHubTasks } from '../../../src/tasks/infinitebench/hub.js';
import { loogleHubTasks } from '../../../src/tasks/loogle/hub.js';
import type { OpenTask, Task } from '../../../src/tasks/types.js';
import {
  failureOf,
  folderOf,
  promptOf,
  readSample,
  removeFolders,
  scored,
  taskNamed,
} from '../loader-support.js';

interface Row {
  context: string;
  question: string;
  answer_prefix: string;
  answer: string | string[];
  max_new_tokens: number;
}

const row = (fields: Partial<Row> = {}): Row => ({
  context: 'A long text.\n\n',
  question: 'What is the pass key?',
  answer_prefix: 'The pass key is:',
  answer: ['71432'],
  max_new_tokens: 26,
  ...fields,
});

/** Columns as the hub's copies have them, one of which no sample needs. */
function parquet(rows: readonly Row[], without?: keyof Row): Uint8Array {
  const isList = Array.isArray(rows[0]!.answer);
  const columns = [
    ...(['context', 'question', 'answer_prefix'] as const).map((name) => ({
      name,
      data: rows.map((each) => each[name]),
      type: 'STRING' as const,
    })),
    isList
      ? { name: 'answer' as const, data: rows.map((each) => each.answer) }
      : { name: 'answer' as const, data: rows.map((each) => each.answer), type: 'STRING' as const },
    {
      name: 'max_new_tokens' as const,
      data: rows.map((each) => BigInt(each.max_new_tokens)),
      type: 'INT64' as const,
    },
    { name: 'task' as const, data: rows.map(() => 'x'), type: 'STRING' as const },
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData: columns.filter(({ name }) => name !== without) }));
}

function written(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = folderOf(Object.fromEntries(Object.keys(files).map((name) => [name, ''])));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

const open = async (task: Task<HubParams>, params: HubParams, files = new DataFiles()): Promise<OpenTask> =>
  await task.open(params, { contextLength: 4096, seed: 1, countTokens: () => 1, files });
const fault = async (task: Task<HubParams>, params: HubParams, index = 0): Promise<string> =>
  (await failureOf(readSample(task, params, index))).format();

const infinitebench = (name: string) => taskNamed(infinitebenchHubTasks, `infinitebench-hub/${name}`);
const loogle = (name: string) => taskNamed(loogleHubTasks, `loogle-hub/${name}`);

describe('copies on the hub', () => {
  after(removeFolders);

  it('have as many tasks as the benchmarks', () => {
    expect(infinitebenchHubTasks).to.have.length(12);
    expect(loogleHubTasks).to.have.length(4);
  });

  it('pass on a row as it stands, over all files in the order of their names', async () => {
    const folder = written({
      'passkey/test-00001-of-00002.parquet': parquet([row({ answer: ['3'] })]),
      'passkey/test-00000-of-00002.parquet': parquet([row({ answer: ['1'] }), row({ answer: ['2'] })]),
    });
    const task = infinitebench('passkey');
    expect(await readSample(task, { folder })).to.deep.equal({
      context: 'A long text.\n\n',
      question: 'What is the pass key?',
      answerPrefix: 'The pass key is:',
      answers: ['1'],
      maxNewTokens: 26,
    });
    expect((await readSample(task, { folder }, 2)).answers).to.deep.equal(['3']);
    expect((await readSample(task, { folder, max_new_tokens: 6 })).maxNewTokens).to.equal(6);
    expect(await fault(task, { folder }, 3)).to.include('samples: 3');
    expect(scored(await open(task, { folder }), '1', ['1'])).to.equal(1);
  });

  it('hold the rows of one task at a time', async () => {
    const folder = written({
      'passkey/a.parquet': parquet([row()]),
      'number_string/a.parquet': parquet([row({ answer: ['55'] })]),
    });
    const files = new DataFiles();
    const passkey = await open(infinitebench('passkey'), { folder }, files);
    const numbers = await open(infinitebench('number_string'), { folder }, files);
    const answerOf = async (task: OpenTask): Promise<readonly string[]> =>
      promptOf(await task.sample(0)).answers;
    for (const round of [1, 2]) {
      expect(await answerOf(passkey), String(round)).to.deep.equal(['71432']);
      expect(await answerOf(numbers), String(round)).to.deep.equal(['55']);
    }
  });

  it('give a choice its option back, which the copy has dropped', async () => {
    const question = 'Which?\n\nOptions:\nA. open_gate\nB. count_buoys\nC. ring_bell\nD. a\n';
    const choice = (fields: Partial<Row>) =>
      written({ 'code_debug/a.parquet': parquet([row({ question, answer: ['B'], ...fields })]) });
    const sampled = await readSample(infinitebench('code_debug'), {
      folder: choice({ question: question.trimEnd() }),
    });
    expect(sampled.answers).to.deep.equal(['count_buoys', 'B']);
    for (const fields of [
      { answer: ['E'] },
      { answer: ['A', 'B'] },
      { question: 'Which?' },
      { answer: [''] },
    ]) {
      const folder = choice({ question: question.trimEnd(), ...fields });
      expect(await fault(infinitebench('code_debug'), { folder })).to.include('a.parquet:row 1  ');
    }
  });

  it('of LooGLE have one text as the answer', async () => {
    const folder = written({
      'shortdep_cloze/a.parquet': parquet([row({ answer: '{"<mask-0>": "Pip", "<mask-1>": "Marta"}' })]),
    });
    const task = loogle('shortdep_cloze');
    const { answers } = await readSample(task, { folder });
    expect(answers).to.deep.equal(['{"<mask-0>": "Pip", "<mask-1>": "Marta"}']);
    expect(scored(await open(task, { folder }), "{'<mask-0>': 'Pip'}", answers)).to.equal(0.5);
  });

  it('have a digest that changes with the files', async () => {
    const digest = async (rows: readonly Row[]): Promise<string> => {
      const folder = written({ 'passkey/a.parquet': parquet(rows) });
      return (await open(infinitebench('passkey'), { folder })).digest;
    };
    expect(await digest([row()])).to.match(/^[0-9a-f]{64}$/);
    expect(await digest([row()])).to.equal(await digest([row()]));
    expect(await digest([row()])).to.not.equal(await digest([row({ answer: ['2'] })]));
  });

  for (const [fields, message] of [
    [{ context: '' }, 'context: expected a text that is not empty'],
    [{ max_new_tokens: 0 }, 'max_new_tokens: '],
    [{ max_new_tokens: 1_000_000 }, 'max_new_tokens: '],
  ] as const) {
    it(`refuse ${JSON.stringify(fields)} with file and row`, async () => {
      const folder = written({ 'passkey/a.parquet': parquet([row(), row(fields)]) });
      expect(await fault(infinitebench('passkey'), { folder }, 1)).to.include(`a.parquet:row 2  ${message}`);
    });
  }

  it('refuse files without a column, files that are cut, and folders without files', async () => {
    const task = infinitebench('passkey');
    const whole = parquet([row()]);
    for (const [bytes, message] of [
      [parquet([row()], 'answer_prefix'), 'expected the column'],
      [whole.subarray(0, whole.length - 9), 'expected a Parquet file'],
      [new Uint8Array(), 'expected a Parquet file'],
    ] as const) {
      expect(await fault(task, { folder: written({ 'passkey/a.parquet': bytes }) }))
        .to.include('a.parquet')
        .and.include(message)
        .and.include('spark-eval pull infinitebench-hub');
    }
    const empty = folderOf({});
    expect(await fault(task, { folder: empty }))
      .to.include('expected Parquet files, found none')
      .and.include('spark-eval pull infinitebench-hub');
  });
});
