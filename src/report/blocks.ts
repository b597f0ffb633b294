/**
 * Results as blocks that may be averaged: one model, one context, one way to ask.
 *
 * Decides that an average is over all tasks of its block or is not there: where samples of a task are missing, the gap is
 * what is reported. Within a task, cells (seeds, variants) weigh the same; then tasks do.
 */
import type { CellResult } from '../results/cell-results.js';
import { storedOverFull } from '../results/memory.js';
import { groupBy } from './group-by.js';
import { equalTasks, type Stratum } from './statistics/strata.js';

/** The uncompressed cache, which everything is compared with. */
export const FULL = 'full';

export interface Block {
  readonly model: string;
  readonly context: number;
  readonly question: 'compressed' | 'appended';
  /** In the order of the results. */
  readonly tasks: readonly string[];
  /** In the order of the results; `full` is among them where it was run. */
  readonly rows: readonly PipelineRow[];
}

/** One pipeline of a block. */
export interface PipelineRow {
  readonly pipeline: string;
  /** Parameters of its steps, `method.param`. */
  readonly params: Readonly<Record<string, string | number | boolean>>;
  /** By task. */
  readonly cells: ReadonlyMap<string, readonly CellResult[]>;
}

/** Samples that are there, of those asked for. */
export interface Count {
  readonly done: number;
  readonly asked: number;
}

/** The blocks, in the order of the results. */
export function blocksOf(results: readonly CellResult[]): Block[] {
  const blocks = groupBy(results, ({ cell }) => JSON.stringify([cell.model, cell.context, cell.question]));
  return [...blocks.values()].map((block) => {
    const { model, context, question } = block[0]!.cell;
    return {
      model,
      context,
      question,
      tasks: [...new Set(block.map(({ cell }) => cell.task))],
      rows: [...groupBy(block, ({ cell }) => cell.pipeline)].map(([pipeline, cells]) => ({
        pipeline,
        params: stepParams(cells[0]!),
        cells: groupBy(cells, ({ cell }) => cell.task),
      })),
    };
  });
}

/** Samples of the row on these tasks. A task without a cell counts as asked for nothing. */
export function countOf(row: PipelineRow, tasks: readonly string[]): Count {
  const cells = tasks.flatMap((task) => row.cells.get(task) ?? []);
  return {
    done: cells.reduce((sum, { records }) => sum + records.length, 0),
    asked: cells.reduce((sum, { cell }) => sum + cell.samples, 0),
  };
}

/** Scores in percent of every task, ready to be averaged; undefined where a task or a sample is missing. */
export function scoresOf(row: PipelineRow, tasks: readonly string[]): Stratum[] | undefined {
  return strataOf(row, tasks, ({ records }) => records.map(({ score }) => 100 * score));
}

/** Paired differences to `full` in points; undefined where a task, a sample or its pair is missing. */
export function differencesOf(row: PipelineRow, tasks: readonly string[]): Stratum[] | undefined {
  return strataOf(row, tasks, ({ paired }) =>
    (paired ?? []).map(({ own, full }) => 100 * (own.score - full.score)),
  );
}

/** Σ stored / Σ full over these tasks; undefined where nothing is there. */
export function storedShare(row: PipelineRow, tasks: readonly string[]): number | undefined {
  return storedOverFull(tasks.flatMap((task) => row.cells.get(task) ?? []).flatMap(({ records }) => records));
}

/** Mean share of the prompt's tokens that the row kept on these tasks; undefined where nothing is there. */
export function keptShare(row: PipelineRow, tasks: readonly string[]): number | undefined {
  const records = tasks.flatMap((task) => row.cells.get(task) ?? []).flatMap((result) => result.records);
  const prompt = records.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
  return prompt === 0 ? undefined : records.reduce((sum, { keptTokens }) => sum + keptTokens, 0) / prompt;
}

function strataOf(
  row: PipelineRow,
  tasks: readonly string[],
  valuesOf: (result: CellResult) => readonly number[],
): Stratum[] | undefined {
  const lists = tasks.map((task) =>
    (row.cells.get(task) ?? []).map((result) => ({ values: valuesOf(result), asked: result.cell.samples })),
  );
  const whole = lists.every(
    (cells) => cells.length > 0 && cells.every(({ values, asked }) => values.length === asked),
  );
  if (!whole || lists.length === 0) return undefined;
  return equalTasks(lists.map((cells) => cells.map(({ values }) => values)));
}

function stepParams({ cell }: CellResult): PipelineRow['params'] {
  return Object.fromEntries(
    Object.entries(cell.params).filter(([name]) => name !== 'max_context' && !name.startsWith('task.')),
  );
}
