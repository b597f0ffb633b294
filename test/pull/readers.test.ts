/** What is pulled is what the loaders look for. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { DATA_SETS, dataSetFolder } from '../../src/pull/data-sets.js';
import { DataFiles } from '../../src/tasks/files/data-files.js';
import { tasks } from '../../src/tasks/built-in.js';
import { failureOf } from '../tasks/loader-support.js';
import type { OpenTask } from '../../src/tasks/types.js';
import { useTempFolder } from '../model/support.js';

describe('data sets and the tasks that read them', () => {
  const temp = useTempFolder();
  const before = process.env['SPARK_EVAL_CACHE'];
  beforeEach(() => {
    process.env['SPARK_EVAL_CACHE'] = temp();
  });
  afterEach(() => {
    if (before === undefined) delete process.env['SPARK_EVAL_CACHE'];
    else process.env['SPARK_EVAL_CACHE'] = before;
  });

  for (const { name, usedBy, files } of DATA_SETS.filter(({ usedBy }) => !usedBy.includes('ruler'))) {
    it(`${name} has a file for every task of ${usedBy.join(', ')}`, async () => {
      const reading = [...tasks.values()].filter(({ family }) => usedBy.includes(family));
      const open = async (task: (typeof reading)[number]): Promise<OpenTask> =>
        await task.open(task.params.parse({}), {
          contextLength: 4096,
          seed: 1,
          countTokens: () => 1,
          files: new DataFiles(),
        });
      for (const task of reading) {
        expect((await failureOf(open(task))).hint, task.name).to.include(`pull ${name} `);
      }
      for (const file of files) {
        const path = join(dataSetFolder(name), file.endsWith('/') ? `${file}x.parquet` : file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, '{}\n');
      }
      for (const task of reading) {
        if (files.some((file) => file.endsWith('/'))) {
          expect((await failureOf(open(task))).message).to.include('expected a Parquet file');
        } else expect((await open(task)).digest, task.name).to.match(/^[0-9a-f]{64}$/);
      }
      expect(reading.length).to.be.greaterThanOrEqual(name === 'ruler-hub' ? 13 : files.length);
    });
  }
});
