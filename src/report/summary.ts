/**
 * The table at the end of a run: per model and context, what each pipeline scored, lost and stored.
 *
 * Cells are averaged within a task (the task with its parameters) over seeds, then over tasks, each weighing the same; a loss
 * is only told where all samples of both are there.
 */
import { type CellResult, scorePercent } from '../results/cell-results.js';
import { storedOverFull } from '../results/memory.js';
import { mean } from '../results/statistics.js';
import type { SampleRecord } from '../results/types.js';
import { cutLines } from './cuts.js';
import { groupBy } from './group-by.js';
import { averagesUnlike, taskTitles, UNLIKE_TASKS } from './task-units.js';
import { type Align, alignColumns } from './text-table.js';

export interface SummaryOptions {
  /** Characters of a line: columns of single tasks are shown only where they fit. Default 100. */
  readonly width?: number;
  /** Headings in bold (terminal escapes). Default false. */
  readonly bold?: boolean;
}

const FULL = 'full';
const NONE = '–';

/** The summary as text, without a newline at its end. */
export function summarise(results: readonly CellResult[], options: SummaryOptions = {}): string {
  const { width = 100, bold = false } = options;
  const blocks = groupBy(
    results,
    ({ cell }) => `${cell.model} · context ${cell.context} · question ${cell.question}`,
  );
  const averaged = [...blocks.values()].map((block) => {
    const { model, question } = block[0]!.cell;
    const titleOf = taskTitles(block.map(({ cell }) => cell));
    return { model, question, titleOf, tasks: [...new Set(block.map(({ cell }) => titleOf(cell)))] };
  });
  const cut = cutLines(results);
  const unlike = averaged.some((block) => averagesUnlike(block, averaged));
  return [
    ...[...blocks].map(([title, block], i) =>
      [bold ? `\u001b[1m${title}\u001b[22m` : title, ...table(block, averaged[i]!, width)].join('\n'),
    ),
    ...(unlike ? [UNLIKE_TASKS] : []),
    ...(cut.length === 0 ? [] : [cut.join('\n')]),
  ].join('\n\n');
}

interface Units {
  readonly tasks: readonly string[];
  readonly titleOf: (cell: CellResult['cell']) => string;
}

function table(results: readonly CellResult[], { tasks, titleOf }: Units, width: number): string[] {
  const pipelines = groupBy(results, ({ cell }) => cell.pipeline);
  const rows = [...pipelines].map(([pipeline, cells]) => {
    const scores = taskScores(cells, tasks, titleOf, ({ records }) => records);
    return {
      main: mainColumns(pipeline, cells, scores, lossOf(cells, tasks, titleOf)),
      tasks: scores.map(percent),
    };
  });
  const header = ['pipeline', 'score', 'lost', 'lost %', 'stored %', 'samples'];
  const lines = render([header, ...rows.map((row) => row.main)]);
  if (tasks.length < 2) return lines;
  const wide = render([[...header, ...shortNames(tasks)], ...rows.map((row) => [...row.main, ...row.tasks])]);
  return wide.every((line) => line.length <= width) ? wide : lines;
}

function mainColumns(
  pipeline: string,
  cells: readonly CellResult[],
  scores: readonly (number | undefined)[],
  loss: Loss | undefined,
): string[] {
  const isBaseline = pipeline === FULL;
  const stored = storedOverFull(cells.flatMap((result) => result.records));
  const done = cells.reduce((sum, { records }) => sum + records.length, 0);
  const asked = cells.reduce((sum, { cell, inapplicable }) => sum + cell.samples - inapplicable.length, 0);
  return [
    pipeline,
    percent(average(scores)),
    isBaseline ? NONE : percent(loss?.points),
    isBaseline || loss === undefined || loss.full === 0 ? NONE : percent((100 * loss.points) / loss.full),
    stored === undefined ? NONE : (100 * stored).toFixed(1),
    done === asked ? String(done) : `${done}/${asked}`,
  ];
}

interface Loss {
  readonly points: number;
  /** The score of `full`, percent. */
  readonly full: number;
}

/** Against `full` on the samples that both have; undefined where any that could be compared is missing. */
function lossOf(
  cells: readonly CellResult[],
  tasks: readonly string[],
  titleOf: Units['titleOf'],
): Loss | undefined {
  if (!cells.every(({ cell, paired = [], unpaired }) => paired.length + unpaired === cell.samples)) {
    return undefined;
  }
  const scoresOf = (side: 'own' | 'full'): (number | undefined)[] =>
    taskScores(cells, tasks, titleOf, ({ paired = [] }) => paired.map((pair) => pair[side]));
  const [own, full] = [scoresOf('own'), scoresOf('full')];
  if (own.includes(undefined)) return undefined;
  return { points: average(full)! - average(own)!, full: average(full)! };
}

/** Mean score of each task over its cells; undefined where none has records. */
function taskScores(
  cells: readonly CellResult[],
  tasks: readonly string[],
  titleOf: Units['titleOf'],
  recordsOf: (result: CellResult) => readonly SampleRecord[],
): (number | undefined)[] {
  return tasks.map((task) =>
    average(
      cells.filter(({ cell }) => titleOf(cell) === task).map((result) => scorePercent(recordsOf(result))),
    ),
  );
}

function average(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : mean(known);
}

function percent(value: number | undefined): string {
  return value === undefined ? NONE : (value === 0 ? 0 : value).toFixed(2);
}

function render(rows: readonly (readonly string[])[]): string[] {
  const align: Align[] = rows[0]!.map((_, column) => (column === 0 ? 'left' : 'right'));
  return alignColumns(rows, align);
}

/** Task names without a family that they all share. */
function shortNames(tasks: readonly string[]): string[] {
  const families = new Set(tasks.map((task) => task.split('/')[0]));
  return families.size === 1 ? tasks.map((task) => task.slice(task.indexOf('/') + 1)) : [...tasks];
}
