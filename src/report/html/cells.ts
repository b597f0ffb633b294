/**
 * The table of single cells: every task, context, seed and pipeline by itself.
 *
 * Tests of differences are those of the tables above it and of accuracy.csv.
 */
import { type CellResult, isFull, missingSamples, scorePercent } from '../../results/cell-results.js';
import { storedOverFull } from '../../results/memory.js';
import { mean, standardError } from '../../results/statistics.js';
import { faultsOf, footnotesOf } from '../faults.js';
import { taskTitle } from '../gaps.js';
import { count, number, signed, type Table, words } from '../table/model.js';

const COLUMNS = [
  ['pipeline', 'left'],
  ['task', 'left'],
  ['model', 'left'],
  ['context', 'right'],
  ['seed', 'right'],
  ['question', 'left'],
  ['score', 'right'],
  ['stderr', 'right'],
  ['lost', 'right'],
  ['stored %', 'right'],
  ['kept tokens', 'right'],
  ['truncated', 'right'],
  ['samples', 'right'],
] as const;

/** One row per cell. Scores of incomplete cells are left out: an average over fewer samples is another number. */
export function cellsTable(results: readonly CellResult[]): Table {
  return {
    title: 'Every cell',
    header: COLUMNS.map(([title]) => title),
    align: COLUMNS.map(([, align]) => align),
    sections: [{ title: '', rows: results.map(cellRow) }],
    notes: [
      ...footnotesOf(results.flatMap(({ cell, records }) => faultsOf(cell.params, records))),
      {
        text: 'Scores and what is lost against full (+: worse) in points of 100; stored bytes in % of the full cache.',
      },
      ...(results.some((result) => missingSamples(result) > 0)
        ? [{ text: 'Cells whose samples are not all there show no numbers but done/asked samples.' }]
        : []),
    ],
  };
}

function cellRow(result: CellResult): Table['sections'][number]['rows'][number] {
  const { cell, records, paired, inapplicable, unpaired } = result;
  const isWhole = missingSamples(result) === 0;
  const whole = isWhole ? records : [];
  const pairs = paired?.length === cell.samples - unpaired ? paired : [];
  const stored = storedOverFull(whole);
  const losses = pairs.map(({ own, full }) => 100 * (full.score - own.score));
  return [
    words(
      cell.pipeline,
      faultsOf(cell.params, records).map(({ mark }) => mark),
    ),
    words(taskTitle(cell)),
    words(cell.model),
    number(cell.context, 0),
    number(cell.seed, 0),
    words(cell.question),
    number(scorePercent(whole)),
    number(standardError(whole.map(({ score }) => 100 * score))),
    signed(isFull(cell) || losses.length === 0 ? undefined : mean(losses)),
    number(stored === undefined ? undefined : 100 * stored, 1),
    number(whole.length === 0 ? undefined : mean(whole.map(({ keptTokens }) => keptTokens)), 1),
    number(records.filter(({ truncated }) => truncated).length, 0),
    count(records.length, cell.samples - inapplicable.length),
  ];
}
