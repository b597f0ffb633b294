/**
 * What an average counts as one task: the task with its parameters.
 *
 * Two files under one scorer are two data sets, and the bins of a benchmark two rows, whatever task reads them; only seeds
 * are averaged within.
 */
import type { CellInfo } from '../results/types.js';
import { groupBy } from './group-by.js';

type TaskCell = Pick<CellInfo, 'task' | 'params'>;

const OWNER = 'task.';

/**
 * Titles of the tasks of these cells: the name, and where a task is there under several parameters, those that tell them
 * apart: `own/f1(file=a.jsonl)`.
 */
export function taskTitles(cells: readonly TaskCell[]): (cell: TaskCell) => string {
  const telling = new Map<string, readonly Telling[]>();
  for (const [task, own] of groupBy(cells, ({ task }) => task)) {
    const names = [...new Set(own.flatMap(({ params }) => Object.keys(params)))];
    const valuesOf = (name: string): Value[] => [...new Set(own.map(({ params }) => params[name]))];
    const apart = names.filter((name) => name.startsWith(OWNER) && valuesOf(name).length > 1);
    telling.set(
      task,
      apart.map((name) => ({ name, short: shortener(valuesOf(name)) })),
    );
  }
  return ({ task, params }) => {
    const shown = (telling.get(task) ?? []).flatMap(({ name, short }) =>
      params[name] === undefined ? [] : [`${name.slice(OWNER.length)}=${short(params[name])}`],
    );
    return shown.length === 0 ? task : `${task}(${shown.join(',')})`;
  };
}

type Value = CellInfo['params'][string] | undefined;

interface Telling {
  readonly name: string;
  readonly short: (value: Value) => string;
}

/** Paths as their last part, where that alone tells them apart. */
function shortener(values: readonly Value[]): Telling['short'] {
  const last = (value: Value): string => String(value).replace(/^.*[/\\](?=[^/\\])/u, '');
  return new Set(values.map(last)).size === values.length ? last : String;
}

/** What must be said where averages of one model are over different tasks. */
export const UNLIKE_TASKS =
  'The averages of a model are over different tasks from context to context (such as rows of a file, which stand under one context only): compare tasks, not averages.';

interface Averaged {
  readonly model: string;
  readonly question: string;
  readonly tasks: readonly string[];
}

/** Whether another of these averages, of the same model and way to ask, is over other tasks. */
export function averagesUnlike<T extends Averaged>(one: T, all: readonly T[]): boolean {
  const tasks = new Set(one.tasks);
  return all.some(
    (other) =>
      other.model === one.model &&
      other.question === one.question &&
      (other.tasks.length !== tasks.size || other.tasks.some((task) => !tasks.has(task))),
  );
}
