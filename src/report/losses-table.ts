/**
 * The table of a block of results: what each pipeline scored, what it lost against `full`, and how sure that is.
 *
 * Decides the columns. Verdicts are those of `statistics/losses.ts`; where samples are missing there is no number.
 */
import {
  type Block,
  countOf,
  differencesOf,
  FULL,
  type PipelineRow,
  scoresOf,
  storedShare,
} from './blocks.js';
import { EXACT_LIMIT } from '../results/statistics.js';
import { footnotesOf, rowFaults } from './faults.js';
import { BOOTSTRAP_DRAWS, BOOTSTRAP_SEED } from './statistics/bootstrap.js';
import {
  ALPHA,
  DEFAULT_MARGIN,
  FEWEST_PAIRS,
  type Loss,
  type LossOptions,
  losses,
} from './statistics/losses.js';
import { interval95, stratifiedError, stratifiedMean } from './statistics/strata.js';
import { UNLIKE_TASKS } from './task-units.js';
import { GAP, number, signed, type Table, type TableCell, words } from './table/model.js';

const HEADER = [
  'pipeline',
  'score',
  'stderr',
  '95 %',
  'change',
  '95 % (bootstrap)',
  'change %',
  'p',
  'd_z',
  'p (equivalence)',
  'verdict',
  'stored %',
  'samples',
] as const;

/** @param tasks of the average; default all of the block */
export function lossesTable(
  block: Block,
  options: LossOptions = {},
  tasks: readonly string[] = block.tasks,
): Table {
  const compared = block.rows
    .filter(({ pipeline }) => pipeline !== FULL)
    .map((row) => ({ row, strata: differencesOf(row, tasks) }));
  const tested = losses(
    compared.flatMap(({ strata }) => (strata === undefined ? [] : [strata])),
    options,
  );
  const lossOf = new Map<PipelineRow, Loss>();
  compared
    .filter(({ strata }) => strata !== undefined)
    .forEach(({ row }, index) => lossOf.set(row, tested[index]!));
  const full = block.rows.find(({ pipeline }) => pipeline === FULL);
  const fullScore = full === undefined ? undefined : mean(scoresOf(full, tasks));
  const single = tasks.length === 1 ? [] : tasks;
  return {
    title: `${block.model} · context ${block.context} · question ${block.question}`,
    header: [...HEADER, ...single],
    align: [...HEADER, ...single].map((name) =>
      name === 'pipeline' || name === 'verdict' ? 'left' : 'right',
    ),
    sections: [
      {
        title: '',
        rows: block.rows.map((row) => [
          ...mainCells(row, tasks, lossOf.get(row), fullScore),
          ...single.map((task) => scoreCell(row, [task])),
        ]),
      },
    ],
    notes: notes(block, tested, options, tasks),
  };
}

function mainCells(
  row: PipelineRow,
  tasks: readonly string[],
  loss: Loss | undefined,
  fullScore: number | undefined,
): TableCell[] {
  const scores = scoresOf(row, tasks);
  const { done, asked } = countOf(row, tasks);
  const stored = storedShare(row, tasks);
  const isFull = row.pipeline === FULL;
  return [
    words(
      row.pipeline,
      rowFaults(row).map(({ mark }) => mark),
    ),
    scoreCell(row, tasks),
    number(scores === undefined ? undefined : stratifiedError(scores)),
    interval(scores === undefined ? undefined : interval95(scores)),
    signed(loss?.delta),
    interval(loss === undefined ? undefined : [loss.low, loss.high]),
    signed(
      loss === undefined || fullScore === undefined || fullScore === 0
        ? undefined
        : (100 * loss.delta) / fullScore,
      1,
    ),
    probability(loss?.pValue),
    signed(loss?.effect),
    probability(loss?.equivalencePValue),
    words(isFull ? GAP : (loss?.verdict ?? 'incomplete')),
    number(stored === undefined ? undefined : 100 * stored, 1),
    words(done === asked ? String(done) : `${done}/${asked}`),
  ];
}

function scoreCell(row: PipelineRow, tasks: readonly string[]): TableCell {
  const scores = scoresOf(row, tasks);
  if (scores !== undefined) return number(stratifiedMean(scores));
  const { done, asked } = countOf(row, tasks);
  return words(asked === 0 ? GAP : `${done}/${asked}`);
}

function mean(scores: ReturnType<typeof scoresOf>): number | undefined {
  return scores === undefined ? undefined : stratifiedMean(scores);
}

function interval(bounds: readonly [number, number] | undefined): TableCell {
  return words(bounds === undefined ? GAP : `${number(bounds[0]).text} to ${number(bounds[1]).text}`);
}

function probability(p: number | undefined): TableCell {
  if (p === undefined) return words(GAP);
  return { text: p < 0.001 ? '<0.001' : p.toFixed(3), value: p };
}

function notes(
  { rows, unlike }: Block,
  tested: readonly Loss[],
  { margin = DEFAULT_MARGIN, draws = BOOTSTRAP_DRAWS, seed = BOOTSTRAP_SEED }: LossOptions,
  tasks: readonly string[],
): Table['notes'] {
  const family = tested.filter(({ pValue }) => pValue !== undefined).length;
  return [
    ...footnotesOf(rows.flatMap(rowFaults)),
    {
      text: 'Scores and changes in points of 100; tasks weigh the same, whatever their number of samples. stderr and 95 % are normal.',
    },
    {
      text: `change, its interval and p: paired bootstrap against full on the same samples, within tasks (${draws} draws, seed ${seed}); where at most ${EXACT_LIMIT} pairs differ, p is not below that of the exact sign-flip test. d_z: mean over standard deviation of the paired differences.`,
    },
    {
      text: `Both p are corrected over the ${family} comparisons of this table (Holm). loss, gain: p < ${ALPHA}. equivalent: two one-sided tests show a change smaller than ±${margin} points (p (equivalence) < ${ALPHA}). undecided: neither; that is not "no loss".`,
    },
    ...(tested.some(({ verdict }) => verdict === 'too few samples')
      ? [{ text: `Fewer than ${FEWEST_PAIRS} pairs, or a task with fewer than 2, are not tested.` }]
      : []),
    ...(rows.some((row) => scoresOf(row, tasks) === undefined)
      ? [{ text: 'Where samples are missing there is no average but done/asked samples.' }]
      : []),
    ...(unlike ? [{ text: UNLIKE_TASKS }] : []),
    ...(rows.every(({ pipeline }) => pipeline !== FULL)
      ? [{ text: 'Without results of full nothing can be compared.' }]
      : []),
  ];
}
