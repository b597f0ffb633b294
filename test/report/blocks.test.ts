import { expect } from 'chai';
import { blocksOf, countOf, differencesOf, isWhole, scoresOf, storedShare } from '../../src/report/blocks.js';
import { gapsOf } from '../../src/report/gaps.js';
import { tablesOf } from '../../src/report/tables.js';
import { collectResults } from '../../src/results/cell-results.js';
import type { CellInfo } from '../../src/results/types.js';
import { cell, full, record, spark } from '../results/support.js';

/** All samples of these cells. */
function resultsOf(...cells: CellInfo[]) {
  const records = cells.flatMap((info) =>
    Array.from({ length: info.samples }, (_, sample) => record(info, sample)),
  );
  return collectResults(cells, records);
}

describe('report/blocks', () => {
  const seeds = [cell(full), cell(full, { seed: 7 })];

  it('averages a pipeline over all cells of its block', () => {
    const [block] = blocksOf(resultsOf(...seeds, cell(spark), cell(spark, { seed: 7 })));
    const row = block!.rows[1]!;
    expect(countOf(row, block!.tasks)).to.deep.equal({ done: 8, asked: 8 });
    expect(scoresOf(row, block!.tasks)!.map(({ weight }) => weight)).to.deep.equal([0.5, 0.5]);
    expect(storedShare(row, block!.tasks)).to.equal(0.235);
  });

  for (const [what, other] of [
    ['lacks a seed of another pipeline', []],
    ['was asked for fewer samples than another pipeline', [cell(spark, { seed: 7, samples: 2 })]],
  ] as const) {
    it(`has no average of a pipeline that ${what}, and says so`, () => {
      const results = resultsOf(...seeds, cell(spark), ...other);
      const [block] = blocksOf(results);
      const row = block!.rows[1]!;
      expect(isWhole(row, block!.tasks)).to.equal(false);
      for (const of of [scoresOf, differencesOf, storedShare])
        expect(of(row, block!.tasks)).to.equal(undefined);
      const done = other.length === 0 ? '4/8' : '6/8';
      expect(tablesOf({ folders: [], results })[0]!.sections[0]!.rows[1]!.map(({ text }) => text))
        .to.include.members([done, 'incomplete'])
        .and.not.include('50.00');
      expect(gapsOf({ folders: [], results })).to.deep.equal([
        'spark(ratio=0.8) on ruler/one, spark-nano, context 1024: 1 of 2 cells (seeds, task parameters) are missing or of fewer samples than those of other pipelines.',
      ]);
    });
  }

  it('holds a task that a pipeline has no cell of for a gap, not for a fault', () => {
    const results = resultsOf(
      ...seeds,
      cell(full, { task: 'ruler/two' }),
      cell(spark),
      cell(spark, { seed: 7 }),
    );
    const [block] = blocksOf(results);
    const row = block!.rows[1]!;
    expect(scoresOf(row, ['ruler/one'])).to.have.length(2);
    expect(scoresOf(row, block!.tasks)).to.equal(undefined);
    expect(countOf(row, block!.tasks)).to.deep.equal({ done: 8, asked: 8 });
    expect(gapsOf({ folders: [], results })).to.deep.equal([]);
  });
});
