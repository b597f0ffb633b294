import { expect } from 'chai';
import { blocksOf } from '../../src/report/blocks.js';
import { lossesTable } from '../../src/report/losses-table.js';
import { summarise } from '../../src/report/summary.js';
import { taskTitles, UNLIKE_TASKS } from '../../src/report/task-units.js';
import { collectResults } from '../../src/results/cell-results.js';
import { cell, full, record, spark } from '../results/support.js';

type Changes = NonNullable<Parameters<typeof cell>[1]>;

/** Results of `full` and another pipeline, every sample of which has this score. */
function results(...sets: readonly (Changes & { readonly score: number; readonly samples: number })[]) {
  const made = sets.flatMap(({ score, ...changes }) =>
    [full, spark].map((pipeline) => ({ info: cell(pipeline, changes), score })),
  );
  const records = made.flatMap(({ info, score }) =>
    Array.from({ length: info.samples }, (_, sample) => record(info, sample, { score })),
  );
  return collectResults(
    made.map(({ info }) => info),
    records,
  );
}

const own = (task: string, file: string, samples: number, score: number, more: Changes = {}) => ({
  ...{ task, taskParams: { file }, samples, score },
  ...more,
});
const THREE = results(
  own('own/contains_any', 'data/a1.jsonl', 1, 1),
  own('own/contains_any', 'data/b3.jsonl', 3, 0),
  own('own/exact', 'data/c2.jsonl', 2, 1),
);
const averageOf = (text: string): string => /full +(\S+)/.exec(text)![1]!;

describe('report/task-units', () => {
  it('average data sets, not scorers: two files under one scorer are two tasks', () => {
    const text = summarise(THREE, { width: 300 });
    expect(averageOf(text)).to.equal('66.67');
    expect(text).to.include(' contains_any(file=a1.jsonl)').and.include(' exact');
    const [block] = blocksOf(THREE);
    expect(block!.tasks).to.deep.equal([
      'own/contains_any(file=a1.jsonl)',
      'own/contains_any(file=b3.jsonl)',
      'own/exact',
    ]);
    expect(lossesTable(block!).sections[0]!.rows[0]!.map(({ text: shown }) => shown)).to.include.members([
      '66.67',
      '100.00',
      '0.00',
    ]);
  });

  it('average seeds within a task', () => {
    const text = summarise(
      results(...[1, 2, 3].map((seed) => ({ task: 'a/b', seed, samples: 1, score: 1 })), {
        task: 'a/c',
        samples: 1,
        score: 0,
      }),
    );
    expect(averageOf(text)).to.equal('50.00');
  });

  it('are titled by what tells them apart', () => {
    const titles = (...params: Readonly<Record<string, string | number>>[]) => {
      const cells = params.map((each) => ({ task: 'a/b', params: each }));
      return cells.map(taskTitles(cells));
    };
    expect(titles({ 'task.folder': 'x' }, { 'task.folder': 'x', 'spark.ratio': 1 })).to.deep.equal([
      'a/b',
      'a/b',
    ]);
    expect(titles({ 'task.length': '0-4k', 'task.n': 1 }, { 'task.n': 1 })).to.deep.equal([
      'a/b(length=0-4k)',
      'a/b',
    ]);
    expect(titles({ 'task.file': 'x/a.jsonl' }, { 'task.file': 'y/a.jsonl' })).to.deep.equal([
      'a/b(file=x/a.jsonl)',
      'a/b(file=y/a.jsonl)',
    ]);
  });

  it('say where contexts average different tasks', () => {
    const generated = (context: number) => ({ task: 'ruler/one', context, samples: 1, score: 1 });
    const rows = own('own/exact', 'a.jsonl', 1, 0, { context: 512 });
    const mixed = results(generated(512), generated(1024), rows);
    expect(summarise(mixed)).to.include(UNLIKE_TASKS);
    for (const block of blocksOf(mixed)) {
      expect(lossesTable(block).notes.map(({ text }) => text)).to.include(UNLIKE_TASKS);
    }
    const alike = results(generated(512), generated(1024));
    expect(summarise(alike)).to.not.include(UNLIKE_TASKS);
    expect(blocksOf(alike).map(({ unlike }) => unlike)).to.deep.equal([false, false]);
  });
});
