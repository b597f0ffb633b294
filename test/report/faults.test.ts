import { expect } from 'chai';
import { faultsOf, footnotesOf } from '../../src/report/faults.js';
import { cellsTable } from '../../src/report/html/cells.js';
import { tablesOf } from '../../src/report/tables.js';
import { collectResults } from '../../src/results/cell-results.js';
import { cell, full, record } from '../results/support.js';

const pipeline = (label: string, ...steps: [string, Record<string, string | number>][]) => ({
  label,
  steps: steps.map(([method, params]) => ({ method, params })),
});

const released = pipeline('pyramidkv(budget=128)', ['pyramidkv', { budget: 128, variant: 'released' }]);
const think = pipeline(
  'snapkv(budget=128)+think(ratio=0.5,variant=kvpress)',
  ['snapkv', { budget: 128 }],
  ['think', { ratio: 0.5, variant: 'kvpress' }],
);
const sound = [
  pipeline('pyramidkv(ratio=0.8)', ['pyramidkv', { ratio: 0.8, variant: 'released' }]),
  pipeline('pyramidkv(budget=128,variant=corrected)', ['pyramidkv', { budget: 128, variant: 'corrected' }]),
  pipeline('think(ratio=0.5)', ['think', { ratio: 0.5, variant: 'official' }]),
  full,
];

describe('report/faults', () => {
  const cells = [full, released, think, ...sound.slice(0, 3)].map((own) => cell(own, { samples: 1 }));
  const kept = (info: (typeof cells)[number], keptTokens: number) =>
    faultsOf(info.params, [record(info, 0, { keptTokens, promptTokens: 1000 })]);
  const marks = (faults: ReturnType<typeof faultsOf>) => faults.map(({ mark }) => mark);

  it('knows pipelines that ran under a fault of the released code, and no others', () => {
    expect(cells.map((info) => marks(kept(info, 900)))).to.deep.equal([[], ['a'], ['b'], [], [], []]);
    const faults = cells.map((info) => kept(info, 900));
    expect(marks(footnotesOf(faults.flat().reverse()))).to.deep.equal(['a', 'b']);
    expect(marks(footnotesOf(faults.slice(2).flat()))).to.deep.equal(['b']);
    expect(footnotesOf(faults.slice(3).flat())).to.deep.equal([]);
  });

  it('knows a pyramid that fits its budget', () => {
    expect(kept(cells[1]!, 128)).to.deep.equal([]);
  });

  it('are footnotes of every table that shows them', () => {
    const results = collectResults(
      cells,
      cells.map((info) => record(info, 0, { keptTokens: 900, promptTokens: 1000 })),
    );
    const marked = new Map<string, number>();
    for (const paper of [undefined, 'table1', 'table2'] as const) {
      for (const table of [...tablesOf({ folders: [], results }, { paper }), cellsTable(results)]) {
        const rows = table.sections.flatMap((section) => section.rows).map(([name]) => name!);
        for (const [pipeline, mark] of [
          [released, 'a'],
          [think, 'b'],
        ] as const) {
          const row = rows.find(({ text }) => text === pipeline.label);
          if (row === undefined) continue;
          expect(row.marks, table.title).to.deep.equal([mark]);
          expect(table.notes.map((note) => note.mark)).to.include(mark);
          marked.set(mark, (marked.get(mark) ?? 0) + 1);
        }
      }
    }
    // Three times among changes and cells, and once beside Table 2, where they have no place.
    expect([...marked]).to.deep.equal([
      ['a', 7],
      ['b', 7],
    ]);
  });
});
