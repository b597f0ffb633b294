/**
 * Results as blocks that may be averaged: one model, one context, one way to ask.
 *
 * An average is over all tasks of its block or is not there: where samples of a task are missing, or a cell that another
 * pipeline has, the gap is what is reported. A task with other parameters is another task. Within one, seeds weigh the same;
 * then tasks do.
 */
import { type CellResult, groupIdentity } from '../results/cell-results.js';
import { storedOverFull } from '../results/memory.js';
import type { SampleRecord } from '../results/types.js';
import { groupBy } from './group-by.js';
import { equalTasks, type Stratum } from './statistics/strata.js';
import { averagesUnlike, taskTitles } from './task-units.js';

/** The uncompressed cache, which everything is compared with. */
export const FULL = 'full';

export interface Block {
  readonly model: string;
  readonly context: number;
  readonly question: 'compressed' | 'appended';
  /** Titles, in the order of the results. */
  readonly tasks: readonly string[];
  /** Names of the tasks by their titles. */
  readonly nameOf: ReadonlyMap<string, string>;
  /** Another block of the model and way to ask has other tasks. */
  readonly unlike: boolean;
  /** In the order of the results; `full` is among them where it was run. */
  readonly rows: readonly PipelineRow[];
}

/** One pipeline of a block. */
export interface PipelineRow {
  readonly pipeline: string;
  /** Parameters of its steps, `method.param`. */
  readonly params: Readonly<Record<string, string | number | boolean>>;
  /** By the title of the task. */
  readonly cells: ReadonlyMap<string, readonly CellResult[]>;
  /** Of the block. */
  readonly asked: Asked;
}

/** Samples by task and then by what its cells have in common (`groupIdentity`): the most that any pipeline was asked for. */
export type Asked = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Samples that are there, of those asked for. */
export interface Count {
  readonly done: number;
  readonly asked: number;
}

/** The blocks, in the order of the results. */
export function blocksOf(results: readonly CellResult[]): Block[] {
  const blocks = groupBy(results, ({ cell }) => JSON.stringify([cell.model, cell.context, cell.question]));
  const all = [...blocks.values()].map((block) => {
    const { model, context, question } = block[0]!.cell;
    const titleOf = taskTitles(block.map(({ cell }) => cell));
    const asked = askedOf(block, titleOf);
    const nameOf = new Map(block.map(({ cell }) => [titleOf(cell), cell.task]));
    return {
      model,
      context,
      question,
      tasks: [...nameOf.keys()],
      nameOf,
      rows: [...groupBy(block, ({ cell }) => cell.pipeline)].map(([pipeline, cells]) => ({
        pipeline,
        params: stepParams(cells[0]!),
        cells: groupBy(cells, ({ cell }) => titleOf(cell)),
        asked,
      })),
    };
  });
  return all.map((block) => ({ ...block, unlike: averagesUnlike(block, all) }));
}

/** What a set of results was asked for, by the titles of the tasks. */
export function askedOf(
  results: readonly CellResult[],
  titleOf: (cell: CellResult['cell']) => string = ({ task }) => task,
): Asked {
  const asked = new Map<string, Map<string, number>>();
  for (const { cell } of results) {
    const title = titleOf(cell);
    const cells = asked.get(title) ?? new Map<string, number>();
    const name = groupIdentity(cell);
    cells.set(name, Math.max(cell.samples, cells.get(name) ?? 0));
    asked.set(title, cells);
  }
  return asked;
}

/**
 * Samples of the row on these tasks, and of all cells of the block. A task that the row has no cell of counts as asked for
 * nothing, and so does a sample that the pipeline cannot be applied to.
 */
export function countOf(row: PipelineRow, tasks: readonly string[]): Count {
  const own = tasks.filter((task) => row.cells.has(task));
  const asked = sum(own.flatMap((task) => [...row.asked.get(task)!.values()]));
  return {
    done: sum(own.flatMap((task) => row.cells.get(task)!).map(({ records }) => records.length)),
    asked: asked - inapplicableOf(row, tasks),
  };
}

/** Samples of these tasks that the pipeline cannot be applied to. */
export function inapplicableOf(row: PipelineRow, tasks: readonly string[]): number {
  return sum(
    tasks.flatMap((task) => row.cells.get(task) ?? []).map(({ inapplicable }) => inapplicable.length),
  );
}

/** Scores in percent of every task, ready to be averaged; undefined where a task or a sample is missing. */
export function scoresOf(row: PipelineRow, tasks: readonly string[]): Stratum[] | undefined {
  return strataOf(row, tasks, ({ records, inapplicable }) => ({
    values: records.map(({ score }) => 100 * score),
    without: inapplicable.length,
  }));
}

/** Paired differences to `full` in points; undefined where a task, a sample or its pair is missing. */
export function differencesOf(row: PipelineRow, tasks: readonly string[]): Stratum[] | undefined {
  return strataOf(row, tasks, ({ paired, unpaired }) => ({
    values: (paired ?? []).map(({ own, full }) => 100 * (own.score - full.score)),
    without: unpaired,
  }));
}

/** Scores of `full` in percent, on the samples that the row has, too; undefined as `differencesOf`. */
export function fullScoresOf(row: PipelineRow, tasks: readonly string[]): Stratum[] | undefined {
  return strataOf(row, tasks, ({ paired, unpaired }) => ({
    values: (paired ?? []).map(({ full }) => 100 * full.score),
    without: unpaired,
  }));
}

/** Whether every sample of every one of these tasks is there. */
export function isWhole(row: PipelineRow, tasks: readonly string[]): boolean {
  const { done, asked } = countOf(row, tasks);
  return done === asked && done > 0 && tasks.every((task) => row.cells.has(task));
}

/** Σ stored / Σ full over these tasks; undefined where a sample is missing. */
export function storedShare(row: PipelineRow, tasks: readonly string[]): number | undefined {
  return isWhole(row, tasks) ? storedOverFull(recordsOf(row, tasks)) : undefined;
}

/** Mean share of the prompt's tokens that the row kept on these tasks; undefined where a sample is missing. */
export function keptShare(row: PipelineRow, tasks: readonly string[]): number | undefined {
  if (!isWhole(row, tasks)) return undefined;
  const records = recordsOf(row, tasks);
  const prompt = sum(records.map(({ promptTokens }) => promptTokens));
  return prompt === 0 ? undefined : sum(records.map(({ keptTokens }) => keptTokens)) / prompt;
}

/** All records of a pipeline on these tasks. */
export function recordsOf({ cells }: PipelineRow, tasks: readonly string[]): SampleRecord[] {
  return tasks.flatMap((task) => cells.get(task) ?? []).flatMap(({ records }) => records);
}

function strataOf(
  row: PipelineRow,
  tasks: readonly string[],
  /** Values of a cell, and how many of its samples have none and never will. */
  valuesOf: (result: CellResult) => { readonly values: readonly number[]; readonly without: number },
): Stratum[] | undefined {
  const lists = tasks.map((task) => {
    const asked = row.asked.get(task);
    const cells = (row.cells.get(task) ?? []).map((result) => ({
      ...valuesOf(result),
      asked: asked?.get(groupIdentity(result.cell)),
    }));
    const whole =
      cells.length === asked?.size &&
      cells.every(({ values, without, asked }) => values.length > 0 && values.length + without === asked);
    return whole ? cells.map(({ values }) => values) : undefined;
  });
  const whole = lists.filter((list) => list !== undefined);
  return whole.length < lists.length || lists.length === 0 ? undefined : equalTasks(whole);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function stepParams({ cell }: CellResult): PipelineRow['params'] {
  return Object.fromEntries(
    Object.entries(cell.params).filter(([name]) => name !== 'max_context' && !name.startsWith('task.')),
  );
}
