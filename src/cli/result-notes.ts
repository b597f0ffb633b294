/**
 * What is said of results that are not whole, whatever is made of them.
 *
 * Decides that missing samples are told on standard error and leave exit code 3.
 */
import type { ReadResults } from '../report/read-results.js';
import type { Session } from './session.js';

export async function noteGaps(read: ReadResults, session: Session): Promise<void> {
  const { gapsOf } = await import('../report/gaps.js');
  for (const gap of gapsOf(read)) session.note(gap);
  if (read.results.some(({ cell, records }) => records.length < cell.samples)) session.exitCode = 3;
}
