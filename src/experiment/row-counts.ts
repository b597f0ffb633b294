/**
 * How many rows tasks have, for `samples: all`.
 *
 * Only tasks that are asked for all of their rows are opened: their files must be there before a spec says what it is.
 */
import { canonicalJson } from '../base/canonical-json.js';
import type { Registry } from '../registry/registry.js';
import type { SpecDocument } from './document.js';
import { Problems } from './problems.js';
import { ALL_ROWS, sampleCount } from './schema.js';
import { TaskOpener } from './task-opener.js';
import { readTasks, type TaskChoice } from './tasks.js';

/** Rows by `rowsKey`; none of tasks that are generated. */
export type RowCounts = ReadonlyMap<string, number>;

export function rowsKey({ task, params }: Pick<TaskChoice, 'task' | 'params'>): string {
  return canonicalJson([task, params]);
}

/** Rejects with UserError where the data of such a task is missing or damaged; what else is wrong is told by who resolves. */
export async function countRows(document: SpecDocument, { tasks }: Registry): Promise<RowCounts> {
  const rows = new Map<string, number>();
  const { tasks: items, samples } = document.value;
  if (!JSON.stringify([items, samples]).includes(`"${ALL_ROWS}"`)) return rows;
  const { folder } = document;
  const problems = new Problems(document);
  const choices = readTasks(Array.isArray(items) ? items : [items], {
    tasks,
    samples: sampleCount.safeParse(samples).data ?? 1,
    folder,
    problems,
  });
  if (!problems.empty) return rows;
  const opener = new TaskOpener(tasks, folder);
  for (const choice of choices.filter((choice) => choice.samples === ALL_ROWS)) {
    // A number of rows depends on neither.
    const { rows: count } = await opener.open({ ...choice, taskParams: choice.params, context: 1, seed: 0 });
    if (count !== undefined) rows.set(rowsKey(choice), count);
  }
  return rows;
}
