/**
 * What of a result folder the spec does not ask for (any more), in words.
 *
 * Shrinking a spec must not look like losing results: they are counted, named, and said to be kept.
 */
import { taskTitle } from '../report/gaps.js';
import type { LeftOut } from '../runner/folder-state.js';
import { plural } from './format.js';

/** Cells that are named; the others are counted. */
const LINES = 20;

/** Lines; none where nothing is left out. */
export function leftOutLines({ results, cells }: LeftOut): string[] {
  if (results === 0) return [];
  const named = cells.reduce((sum, cell) => sum + cell.results, 0);
  return [
    `${plural(results, 'result')} of the folder ${results === 1 ? 'is' : 'are'} not asked for by this spec: kept in the journal, left out of tables and CSV files`,
    ...cells
      .slice(0, LINES)
      .map(
        ({ cell, results }) =>
          `  ${results} of ${cell.pipeline} on ${taskTitle(cell)}, ${cell.model}, context ${cell.context}, seed ${cell.seed}, question ${cell.question}`,
      ),
    ...(cells.length > LINES ? [`  … and ${cells.length - LINES} more cells`] : []),
    ...(results > named
      ? [`  ${results - named} of further samples, or made with other data or another program`]
      : []),
  ];
}
