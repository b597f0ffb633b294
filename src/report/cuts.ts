/**
 * Which samples were cut to fit: a score of cut contexts is not one of whole ones, so it is said under every table.
 */
import type { CellResult } from '../results/cell-results.js';
import { groupBy } from './group-by.js';
import { taskTitles } from './task-units.js';

/** A line for each model and task some of whose samples were cut: `longbench/x: 3 of 8 samples were cut to 3950 tokens`. */
export function cutLines(results: readonly CellResult[]): string[] {
  const models = new Set(results.map(({ cell }) => cell.model));
  const titleOf = taskTitles(results.map(({ cell }) => cell));
  const groups = groupBy(
    results,
    ({ cell }) => `${models.size > 1 ? `${cell.model}, ` : ''}${titleOf(cell)}`,
  );
  return [...groups].flatMap(([title, group]) => {
    const samples = new Map<string, number | undefined>();
    for (const { cell, records } of group) {
      for (const { sample, truncated, promptTokens } of records) {
        const name = `${cell.context} ${cell.seed} ${cell.question} ${sample}`;
        samples.set(name, truncated ? promptTokens : samples.get(name));
      }
    }
    const cut = [...samples.values()].filter((tokens) => tokens !== undefined);
    if (cut.length === 0) return [];
    const [least, most] = [Math.min(...cut), Math.max(...cut)];
    const tokens = least === most ? `${most} tokens` : `${least} to ${most} tokens`;
    return [`${title}: ${cut.length} of ${samples.size} samples were cut to ${tokens}`];
  });
}
