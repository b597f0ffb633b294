/**
 * Jobs over runners: each takes the next one as soon as it is free.
 *
 * Weights that must be calibrated first are calibrated by one runner; the others find what it has kept.
 */
import type { Job, JobRecord, JobRunner } from './jobs.js';

export interface DispatchOptions {
  /** Names the weights of a job where they have to be calibrated, else undefined. */
  readonly calibrates: (job: Job) => string | undefined;
  readonly onRecords: (job: Job, records: readonly JobRecord[]) => void;
}

/** Runs all jobs, started in their order. Rejects with the first failure, when the other runners have ended their jobs. */
export async function dispatch(
  jobs: readonly Job[],
  runners: readonly JobRunner[],
  { calibrates, onRecords }: DispatchOptions,
): Promise<void> {
  const firsts = new Map<string, Promise<unknown>>();
  let next = 0;
  let failed = false;
  const lanes = runners.map(async (runner) => {
    while (!failed && next < jobs.length) {
      const job = jobs[next++]!;
      try {
        const weights = calibrates(job);
        const first = weights === undefined ? undefined : firsts.get(weights);
        // A failure of the first job ends everything by itself.
        if (first !== undefined) await first.catch(() => undefined);
        const running = runner.run(job);
        if (weights !== undefined && first === undefined) firsts.set(weights, running);
        onRecords(job, await running);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  });
  const ends = await Promise.allSettled(lanes);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
