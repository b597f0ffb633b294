import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { UserError } from '../../../src/base/errors.js';
import { DataFiles } from '../../../src/tasks/files/data-files.js';
import { longbenchHubTasks } from '../../../src/tasks/longbench/hub.js';
import { longbenchTasks } from '../../../src/tasks/longbench/list.js';
import type { LongBenchName } from '../../../src/tasks/scorers/longbench.js';
import { folderOf, readSample, removeFolders, sampleOf, taskNamed } from '../loader-support.js';
import { row } from './rows.js';

interface HubRow {
  context: string;
  question: string;
  answer_prefix: string;
  task: string;
  answers: string[];
  all_classes: string[] | null;
  max_new_tokens: bigint;
}

const TEXTS = ['context', 'question', 'answer_prefix', 'task'] as const;
const LISTS = ['answers', 'all_classes'] as const;

/** The columns as the hub's copy has them. */
function parquet(rows: readonly HubRow[]): Uint8Array {
  const buffer = parquetWriteBuffer({
    schema: [
      { name: 'root', num_children: TEXTS.length + LISTS.length + 1 },
      ...TEXTS.map((name) => ({
        name,
        type: 'BYTE_ARRAY' as const,
        converted_type: 'UTF8' as const,
        repetition_type: 'OPTIONAL' as const,
      })),
      ...LISTS.flatMap(
        (name) =>
          [
            { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
            { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
            { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
          ] as const,
      ),
      { name: 'max_new_tokens', type: 'INT64', repetition_type: 'OPTIONAL' },
    ],
    columnData: [...TEXTS, ...LISTS, 'max_new_tokens' as const].map((name) => ({
      name,
      data: rows.map((one) => one[name]),
    })),
  });
  return new Uint8Array(buffer);
}

/** What the builder of the copy makes of the row of the official file. */
function hubRow(name: LongBenchName, fields: Partial<HubRow> = {}): HubRow {
  const official = sampleOf(taskNamed(longbenchTasks, `longbench/${name}`), {
    folder: folderOf({ [`${name}.jsonl`]: [row(name, { all_classes: ['a', 'b'] })] }),
  });
  return {
    context: official.context,
    question: official.question,
    answer_prefix: official.answerPrefix,
    task: name,
    answers: [...official.answers],
    all_classes: ['a', 'b'],
    max_new_tokens: BigInt(official.maxNewTokens),
    ...fields,
  };
}

describe('longbench-hub', () => {
  afterEach(removeFolders);

  const task = (name: LongBenchName) => taskNamed(longbenchHubTasks, `longbench-hub/${name}`);
  const write = (name: LongBenchName, files: Record<string, Uint8Array>): string => {
    const folder = folderOf({});
    mkdirSync(join(folder, name));
    for (const [file, bytes] of Object.entries(files)) writeFileSync(join(folder, name, file), bytes);
    return folder;
  };
  const sample = (name: LongBenchName, folder: string, index = 0) =>
    readSample(task(name), { folder }, index);
  const digest = async (folder: string): Promise<string> => {
    const open = task('lcc').open(
      { folder },
      { contextLength: 4096, seed: 1, countTokens: () => 1, files: new DataFiles() },
    );
    return (await open).digest;
  };
  const fault = async (name: LongBenchName, folder: string): Promise<string> => {
    try {
      await sample(name, folder);
    } catch (error) {
      if (error instanceof UserError) return error.format();
      throw error;
    }
    throw new Error('expected a UserError');
  };

  it('gives the samples that the official files give', async () => {
    for (const name of ['samsum', 'trec', 'lcc', 'gov_report', 'passage_retrieval_zh'] as const) {
      const official = sampleOf(taskNamed(longbenchTasks, `longbench/${name}`), {
        folder: folderOf({ [`${name}.jsonl`]: [row(name, { all_classes: ['a', 'b'] })] }),
      });
      const folder = write(name, { 'test-00000-of-00001.parquet': parquet([hubRow(name)]) });
      expect(await sample(name, folder), name).to.deep.equal(official);
      expect(task(name).newTokens?.({ folder }), name).to.equal(official.maxNewTokens);
    }
  });

  it('goes through all files of the folder, and has a digest of them', async () => {
    const rows = ['one', 'two', 'three'].map((context) => hubRow('lcc', { context }));
    const folder = write('lcc', {
      'b.parquet': parquet(rows.slice(2)),
      'a.parquet': parquet(rows.slice(0, 2)),
    });
    const contexts = [];
    for (const index of [0, 1, 2]) contexts.push((await sample('lcc', folder, index)).context);
    expect(contexts).to.deep.equal(['one', 'two', 'three']);
    const other = write('lcc', { 'a.parquet': parquet(rows) });
    expect(await digest(folder)).to.not.equal(await digest(other));
  });

  it('names file and row of what is wrong', async () => {
    const broken = (fields: Partial<HubRow>) =>
      write('lcc', { 'a.parquet': parquet([hubRow('lcc', fields)]) });
    expect(await fault('lcc', broken({ context: '' }))).to.match(
      /a\.parquet:row 1 {2}context: expected a text/,
    );
    expect(await fault('lcc', broken({ answers: [] }))).to.match(/row 1 {2}answers: expected at least one/);
    expect(await fault('lcc', broken({ task: 'trec' }))).to.match(
      /row 1 {2}task: expected lcc, found "trec"/,
    );
    expect(await fault('lcc', broken({ max_new_tokens: 0n }))).to.match(/row 1 {2}max_new_tokens: /);
    const cut = parquet([hubRow('lcc')]).subarray(0, 60);
    expect(await fault('lcc', write('lcc', { 'a.parquet': cut }))).to.match(
      /a\.parquet {2}expected a Parquet/,
    );
    expect(await fault('lcc', folderOf({}))).to.match(/expected Parquet files, found none\n.*longbench-hub/);
  });
});
