/**
 * The table of a block of results: what each pipeline scored, what it lost against `full`, and how sure that is.
 *
 * Verdicts are those of `statistics/losses.ts`; where samples are missing there is no number.
 */
import {
  type Block,
  countOf,
  differencesOf,
  FULL,
  fullScoresOf,
  inapplicableOf,
  type PipelineRow,
  scoresOf,
  storedShare,
} from './blocks.js';
import { cutLines } from './cuts.js';
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
import { count, GAP, number, range, signed, type Table, type TableCell, words } from './table/model.js';

const HEADER = [
  'pipeline',
  'score',
  'stderr',
  '95 %',
  'lost',
  '95 % (bootstrap)',
  'lost %',
  'p',
  'd_z',
  'p (equivalence)',
  'verdict',
  'stored %',
  'samples',
] as const;

/** Said of a row that lacks tasks of its block, as where folders of different tasks are read together. */
const OTHER_TASKS = 'not all tasks';

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
          ...mainCells(row, tasks, lossOf.get(row)),
          ...single.map((task) => scoreCell(row, [task])),
        ]),
      },
    ],
    notes: notes(block, tested, options, tasks),
  };
}

function mainCells(row: PipelineRow, tasks: readonly string[], loss: Loss | undefined): TableCell[] {
  const scores = scoresOf(row, tasks);
  const fullScores = fullScoresOf(row, tasks);
  const fullScore = fullScores === undefined ? undefined : stratifiedMean(fullScores);
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
    range(scores === undefined ? undefined : interval95(scores)),
    signed(loss === undefined ? undefined : 0 - loss.delta),
    range(loss === undefined ? undefined : [0 - loss.high, 0 - loss.low]),
    signed(
      loss === undefined || fullScore === undefined || fullScore === 0
        ? undefined
        : (-100 * loss.delta) / fullScore,
      1,
    ),
    probability(loss?.pValue),
    signed(loss?.effect === undefined ? undefined : 0 - loss.effect),
    probability(loss?.equivalencePValue),
    words(isFull ? GAP : (loss?.verdict ?? whyNone(row, tasks))),
    number(stored === undefined ? undefined : 100 * stored, 1),
    count(done, asked),
  ];
}

/** Why a row is not compared: samples of its own or of full are missing, or it was not run on all that others were. */
function whyNone(row: PipelineRow, tasks: readonly string[]): string {
  const { done, asked } = countOf(row, tasks);
  if (done < asked) return 'incomplete';
  if (done === 0 && asked === 0) return 'not applicable';
  return scoresOf(row, tasks) === undefined ? OTHER_TASKS : 'full is incomplete';
}

function scoreCell(row: PipelineRow, tasks: readonly string[]): TableCell {
  const scores = scoresOf(row, tasks);
  if (scores !== undefined) return number(stratifiedMean(scores));
  const { done, asked } = countOf(row, tasks);
  return words(done === asked ? GAP : `${done}/${asked}`);
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
      text: 'Scores and losses in points of 100, a loss with +; tasks weigh the same, whatever their number of samples. 95 %: of right and wrong that of Wilson, of other scores that of as many right and wrong ones as vary as they do.',
    },
    {
      text: `lost, its interval and p: paired bootstrap against full on the same samples, within tasks (${draws} draws, seed ${seed}); where at most ${EXACT_LIMIT} pairs differ, p is not below that of the exact sign-flip test. d_z: mean over standard deviation of the paired losses. Where all pairs are the same, the interval is that of the equivalence test.`,
    },
    {
      text: `Both p are corrected over the ${family} comparisons of this table (Holm). loss, gain: p < ${ALPHA}. equivalent: two one-sided tests show a difference smaller than ±${margin} points (p (equivalence) < ${ALPHA}). undecided: neither; that is not "no loss".`,
    },
    ...(tested.some(({ verdict }) => verdict === 'too few samples')
      ? [{ text: `Fewer than ${FEWEST_PAIRS} pairs, or a task with fewer than 2, are not tested.` }]
      : []),
    ...(rows.some((row) => countOf(row, tasks).done < countOf(row, tasks).asked)
      ? [{ text: 'Where samples are missing there is no average but done/asked samples.' }]
      : []),
    ...rows.flatMap((row) => {
      const without = inapplicableOf(row, tasks);
      const { done } = countOf(row, tasks);
      return without === 0
        ? []
        : [
            {
              text: `${row.pipeline} cannot be applied to ${without} of ${done + without} samples (n = ${done}); it is compared with full on those that both have.`,
            },
          ];
    }),
    ...(rows.some((row) => row.pipeline !== FULL && whyNone(row, tasks) === OTHER_TASKS)
      ? [
          {
            text: `${OTHER_TASKS}: the row was not run on all tasks, seeds and parameters that others of this table were, and has no average over the same.`,
          },
        ]
      : []),
    ...cutLines(rows.flatMap(({ cells }) => [...cells.values()].flat())).map((text) => ({ text })),
    ...(unlike ? [{ text: UNLIKE_TASKS }] : []),
    ...(rows.every(({ pipeline }) => pipeline !== FULL)
      ? [{ text: 'Without results of full nothing can be compared.' }]
      : []),
  ];
}
