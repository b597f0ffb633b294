/**
 * Samples that pipelines cannot be applied to, in words.
 *
 * A run goes on without them and counts them as done, so that they must be told when it ends, and every time it is looked at.
 */
import { taskTitle } from '../report/gaps.js';
import { groupBy } from '../report/group-by.js';
import type { CellInfo, Inapplicable } from '../results/types.js';
import { plural } from './format.js';
import type { Session } from './session.js';

/** Cells that are told; the others are counted. */
const LINES = 20;

/** Lists them on standard error, and leaves exit code 1; nothing where there are none. */
export function noteInapplicable(
  cells: readonly CellInfo[],
  inapplicable: readonly Inapplicable[],
  session: Session,
): void {
  const byCell = groupBy(inapplicable, ({ cell }) => cell);
  const lines = cells.flatMap((cell) => {
    const own = (byCell.get(cell.key) ?? []).filter(({ sample }) => sample < cell.samples);
    if (own.length === 0) return [];
    const which = `${cell.pipeline} on ${taskTitle(cell)}, ${cell.model}, context ${cell.context}, seed ${cell.seed}, question ${cell.question}`;
    return [`  ${own.length} of ${plural(cell.samples, 'sample')}: ${which}\n    ${why(own[0]!)}`];
  });
  if (lines.length === 0) return;
  session.exitCode = 1;
  session.note('what cannot be applied has no results; all else is done:');
  for (const line of lines.slice(0, LINES)) session.note(line);
  if (lines.length > LINES) session.note(`  … and ${lines.length - LINES} more cells`);
}

function why({ inapplicable }: Inapplicable): string {
  return inapplicable.split('\n', 1)[0]!;
}
