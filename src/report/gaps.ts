/**
 * What is missing or mixed in a set of results.
 *
 * Whatever would change how an average is read is told in a sentence.
 */
import { groupIdentity, missingSamples } from '../results/cell-results.js';
import type { CellInfo } from '../results/types.js';
import { type Block, blocksOf } from './blocks.js';
import type { ReadResults } from './read-results.js';

/** Incomplete cells that are named one by one; the others are counted. */
const NAMED = 20;

/** What a reader must know before trusting an average; a sentence each. */
export function gapsOf({ folders, results }: ReadResults): string[] {
  const open = results.filter((result) => missingSamples(result) > 0);
  const ruledOut = results.filter(({ inapplicable }) => inapplicable.length > 0);
  const engines = [...new Set(folders.map(({ manifest }) => manifest.engine.name))];
  return [
    ...(results.length === 0 ? ['The results have no cells.'] : []),
    ...(engines.length > 1 ? [`The folders are of different engines: ${engines.join(', ')}.`] : []),
    ...folders.flatMap(({ path, manifest, tornBytes }) => [
      ...(manifest.finishedAt === null ? [`${path}: the run has not finished.`] : []),
      ...(tornBytes > 0
        ? [`${path}: a torn last line of the journal is left out (${tornBytes} bytes).`]
        : []),
    ]),
    ...open
      .slice(0, NAMED)
      .map(
        ({ cell, records }) =>
          `${records.length} of ${cell.samples} samples: ${cell.pipeline} on ${taskTitle(cell)}, ${cell.model}, context ${cell.context}, seed ${cell.seed}, question ${cell.question}.`,
      ),
    ...(open.length > NAMED
      ? [`… and ${open.length - NAMED} more cells whose samples are not all there.`]
      : []),
    ...ruledOut
      .slice(0, NAMED)
      .map(
        ({ cell, inapplicable }) =>
          `${cell.pipeline} cannot be applied to ${inapplicable.length} of ${cell.samples} samples of ${taskTitle(cell)}, ${cell.model}, context ${cell.context}, seed ${cell.seed}, question ${cell.question}: ${inapplicable[0]!.inapplicable.split('\n', 1)[0]!}`,
      ),
    ...(ruledOut.length > NAMED
      ? [`… and ${ruledOut.length - NAMED} more cells that cannot be applied to all samples.`]
      : []),
    ...blocksOf(results).flatMap(unequal),
  ];
}

/** Cells that some pipelines of a block have and others lack: without them there is no average over the same samples. */
function unequal({ model, context, rows }: Block): string[] {
  return rows.flatMap((row) =>
    [...row.cells].flatMap(([task, results]) => {
      const own = new Map(results.map(({ cell }) => [groupIdentity(cell), cell.samples]));
      const asked = [...row.asked.get(task)!];
      const fewer = asked.filter(([name, samples]) => (own.get(name) ?? 0) < samples).length;
      return fewer === 0
        ? []
        : [
            `${row.pipeline} on ${task}, ${model}, context ${context}: ${fewer} of ${asked.length} cells (seeds, task parameters) are missing or of fewer samples than those of other pipelines.`,
          ];
    }),
  );
}

/** `needle/map(depth=50)`: the task and what the spec says of it. */
export function taskTitle({ task, params }: Pick<CellInfo, 'task' | 'params'>): string {
  const own = Object.entries(params)
    .filter(([name]) => name.startsWith('task.'))
    .map(([name, value]) => `${name.slice('task.'.length)}=${String(value)}`);
  return own.length === 0 ? task : `${task}(${own.join(',')})`;
}
