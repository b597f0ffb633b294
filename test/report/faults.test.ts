import { expect } from 'chai';
import { faultMarks, footnotesOf } from '../../src/report/faults.js';
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

  it('knows pipelines that ran under a fault of the released code, and no others', () => {
    const marks = cells.map((info) => faultMarks(info));
    expect(marks).to.deep.equal([[], ['a'], ['b'], [], [], []]);
    expect(footnotesOf(cells).map(({ mark }) => mark)).to.deep.equal(['a', 'b']);
    expect(footnotesOf(cells.slice(2, 3)).map(({ mark }) => mark)).to.deep.equal(['b']);
    expect(footnotesOf(cells.slice(3))).to.deep.equal([]);
  });

  it('are footnotes of every table that shows them', () => {
    const results = collectResults(
      cells,
      cells.map((info) => record(info, 0)),
    );
    for (const paper of [undefined, 'table1', 'table2'] as const) {
      for (const table of tablesOf({ folders: [], results }, { paper })) {
        const rows = table.sections.flatMap((section) => section.rows).map(([name]) => name!);
        for (const info of [cells[1]!, cells[2]!]) {
          const row = rows.find(({ text }) => text === info.pipeline);
          if (row === undefined) continue;
          expect(row.marks, table.title).to.deep.equal(faultMarks(info));
          expect(table.notes.map(({ mark }) => mark)).to.include.members([...row.marks!]);
        }
      }
    }
  });
});
