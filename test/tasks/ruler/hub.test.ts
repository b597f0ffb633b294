import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { DataFiles } from '../../../src/tasks/files/data-files.js';
import type { Prompt } from '../../../src/tasks/one-question.js';
import { tasks } from '../../../src/tasks/built-in.js';
import { rulerHubTasks } from '../../../src/tasks/ruler/hub.js';
import { rulerTasks } from '../../../src/tasks/ruler/list.js';
import type { OpenTask } from '../../../src/tasks/types.js';
import { failureOf, readSample, scored } from '../loader-support.js';

interface Row {
  task: string;
  context: string;
  question: string;
  answer_prefix: string;
  answer: unknown;
  max_new_tokens: bigint;
}

const row = (task: string, n: number, fields: Partial<Row> = {}): Row => ({
  task,
  context: `Context ${n} of ${task}.\n`,
  question: `Question ${n}?`,
  answer_prefix: ' Answer:',
  answer: [`first ${n}`, `second ${n}`],
  max_new_tokens: 30n,
  ...fields,
});

/** The columns as the hub's copy has them; answers are lists of strings. */
function parquet(rows: readonly Row[], leaveOut?: keyof Row): ArrayBuffer {
  const names = ['context', 'question', 'answer_prefix', 'task'] as const;
  const listType = [
    { name: 'answer', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  ] as const;
  const present = names.filter((name) => name !== leaveOut);
  return parquetWriteBuffer({
    schema: [
      { name: 'root', num_children: present.length + 2 },
      ...present.map((name) => ({
        name,
        type: 'BYTE_ARRAY' as const,
        converted_type: 'UTF8' as const,
        repetition_type: 'OPTIONAL' as const,
      })),
      ...listType,
      { name: 'max_new_tokens', type: 'INT64', repetition_type: 'OPTIONAL' },
    ],
    columnData: [
      ...present.map((name) => ({ name, data: rows.map((one) => one[name]) })),
      { name: 'answer', data: rows.map(({ answer }) => answer) },
      { name: 'max_new_tokens', data: rows.map((one) => one.max_new_tokens) },
    ],
  });
}

describe('ruler-hub', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'ruler-hub-'));
  });
  after(() => {
    rmSync(root, { recursive: true });
  });
  const write = (
    copy: string,
    length: number,
    bytes: ArrayBuffer | Buffer,
    name = 'test-0.parquet',
  ): string => {
    const folder = join(root, copy, String(length));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), new Uint8Array(bytes));
    return join(root, copy);
  };
  const sample = async (task: string, folder: string, index: number, contextLength = 4096): Promise<Prompt> =>
    readSample(tasks.get(`ruler-hub/${task}`)!, { folder }, index, { contextLength });
  const open = async (task: string, folder: string): Promise<OpenTask> =>
    await tasks
      .get(`ruler-hub/${task}`)!
      .open({ folder }, { contextLength: 4096, seed: 1, countTokens: () => 1, files: new DataFiles() });

  it('has the thirteen tasks', () => {
    expect(rulerHubTasks.map(({ name }) => name)).to.deep.equal(
      rulerTasks.map(({ name }) => name.replace('ruler/', 'ruler-hub/')),
    );
  });

  it('gives the rows of a task in their order, over all files of the length', async () => {
    const folder = write('good', 4096, parquet([row('vt', 0), row('cwe', 1), row('vt', 2)]));
    write('good', 4096, parquet([row('vt', 3)]), 'test-1.parquet');
    write('good', 8192, parquet([row('vt', 4)]));
    expect(await sample('vt', folder, 1)).to.deep.equal({
      context: 'Context 2 of vt.\n',
      question: 'Question 2?',
      answerPrefix: ' Answer:',
      answers: ['first 2', 'second 2'],
      maxNewTokens: 30,
    });
    expect((await sample('vt', folder, 2)).context).to.equal('Context 3 of vt.\n');
    expect((await sample('cwe', folder, 0)).context).to.equal('Context 1 of cwe.\n');
    expect((await sample('vt', folder, 0, 8192)).context).to.equal('Context 4 of vt.\n');
    expect((await failureOf(sample('vt', folder, 3))).message).to.equal(
      'expected at least 4 samples, found 3',
    );
    expect((await failureOf(sample('fwe', folder, 0))).message).to.equal(
      'expected at least 1 sample, found 0',
    );
  });

  it('scores as the generated tasks do', async () => {
    const folder = write('scored', 4096, parquet([row('vt', 0)]));
    expect(scored(await open('vt', folder), 'ABCDE', ['ABCDE', 'FGHIJ'])).to.equal(0.5);
    expect(scored(await open('qa_1', folder), 'in 1874.', ['1874', 'never'])).to.equal(1);
  });

  it('only reads the lengths that there are', async () => {
    const folder = write('lengths', 4096, parquet([row('vt', 0)]));
    const odd = await failureOf(sample('vt', folder, 0, 5000));
    expect(odd.message).to.equal('ruler-hub/vt: expected a context of 4096, 8192, 16384 tokens, found 5000');
    expect(odd.exitCode).to.equal(2);
    const missing = await failureOf(sample('vt', folder, 0, 16384));
    expect(missing.message).to.equal('expected Parquet files, found none');
    expect(missing.place).to.equal(join(folder, '16384'));
    expect(missing.hint).to.contain('spark-eval pull ruler-hub');
  });

  it('the digest is of all files; where there are none the error names the command that helps', async () => {
    const digest = async (folder: string) => (await open('vt', folder)).digest;
    const one = write('digest', 4096, parquet([row('vt', 0)]));
    const before = await digest(one);
    expect(before).to.match(/^[0-9a-f]{64}$/);
    write('digest', 8192, parquet([row('vt', 1)]));
    expect(await digest(one)).to.not.equal(before);
    const missing = await failureOf(digest(join(root, 'none')));
    expect(missing.message).to.match(/expected one of the folders 4096/);
  });

  it('knows how many samples there are', async () => {
    const folder = write('counted', 4096, parquet([row('vt', 0), row('cwe', 1), row('vt', 2)]));
    write('counted', 4096, parquet([row('vt', 3)]), 'test-1.parquet');
    expect([(await open('vt', folder)).rows, (await open('fwe', folder)).rows]).to.deep.equal([3, 0]);
  });

  const faults: [string, Partial<Row>, RegExp][] = [
    ['an empty context', { context: '' }, /^context: /],
    ['no answer', { answer: [] }, /^answer: /],
    ['an answer of null', { answer: [null] }, /^answer\.0: /],
    ['no tokens to generate', { max_new_tokens: 0n }, /^max_new_tokens: /],
    ['too many tokens to generate', { max_new_tokens: 1n << 40n }, /^max_new_tokens: /],
  ];
  for (const [what, fields, message] of faults) {
    it(`a row with ${what} is an error with file and row`, async () => {
      const folder = write(what, 4096, parquet([row('cwe', 0), row('vt', 1), row('vt', 2, fields)]));
      const error = await failureOf(sample('vt', folder, 1));
      expect(error.message).to.match(message);
      expect(error.place).to.equal(join(folder, '4096', 'test-0.parquet:row 3'));
    });
  }

  it('a file that is broken or lacks a column is an error with its path', async () => {
    const lacking = write('lacking', 4096, parquet([row('vt', 0)], 'question'));
    expect((await failureOf(sample('vt', lacking, 0))).message).to.match(/^expected the columns .*question/);
    const broken = write('broken', 4096, Buffer.from(parquet([row('vt', 0)])).subarray(0, 200));
    const error = await failureOf(sample('vt', broken, 0));
    expect(error.place).to.equal(join(broken, '4096', 'test-0.parquet'));
    expect(error.message).to.match(/expected a Parquet file/);
  });
});
