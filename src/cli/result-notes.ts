/**
 * What is said of results that are not whole, whatever is made of them.
 *
 * Missing samples are told on standard error and leave exit code 3, whatever is made of the rest.
 */
import type { ReadResults } from '../report/read-results.js';
import type { Session } from './session.js';

export async function noteGaps(read: ReadResults, session: Session): Promise<void> {
  const [{ gapsOf }, { missingSamples }] = await Promise.all([
    import('../report/gaps.js'),
    import('../results/cell-results.js'),
  ]);
  for (const gap of gapsOf(read)) session.note(gap);
  if (read.results.some((result) => missingSamples(result) > 0)) session.exitCode = 3;
}
