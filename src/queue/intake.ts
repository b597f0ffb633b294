/**
 * Results of a run, as workers deliver them.
 *
 * A result counts once, however often it is delivered, and leaves Redis only when its records are on the disk.
 */
import { UserError } from '../base/errors.js';
import type { Manifest } from '../results/types.js';
import type { Job, JobRecord } from '../runner/jobs.js';
import type { PoolRun } from '../runner/pool.js';
import { sampleName } from '../runner/sample/sample-name.js';
import { fromWorker } from '../runner/worker-error.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { RunBoard } from './board.js';
import { jobId, type JobResult, parseResult, printable, printableError } from './messages.js';

/** Results that are taken in one go. */
const BATCH = 100;

export class Intake {
  /** Jobs of which anything is missing, by id. */
  readonly open: Map<string, Job>;
  private firstFailure: Error | undefined;
  /** The keys of all cells, group by group. */
  private readonly cells: readonly string[];

  constructor(
    private readonly spec: ResolvedSpec,
    private readonly board: RunBoard,
    manifest: Manifest,
    jobs: readonly Job[],
    private readonly onRecords: PoolRun['onRecords'],
  ) {
    this.open = new Map(jobs.map((job) => [jobId(job), job]));
    this.cells = manifest.cells.map(({ key }) => key);
  }

  /**
   * Takes the oldest results; those that cannot be written stay.
   *
   * @param onClosed told the id of every job of which nothing is missing any more
   * @returns how many results there were
   */
  async take(onClosed: (id: string) => Promise<unknown>): Promise<number> {
    const lines = await this.board.oldestResults(BATCH);
    let done = 0;
    try {
      for (const line of lines) {
        const closed = this.takeOne(line);
        done++;
        if (closed !== undefined) await onClosed(closed);
      }
    } finally {
      await this.board.dropOldestResults(done);
    }
    return lines.length;
  }

  /** What the first job failed with, or what is wrong with the first thing that is no result. */
  failure(): Error | undefined {
    return this.firstFailure;
  }

  forgetFailure(): void {
    this.firstFailure = undefined;
  }

  /** The id of the job, where nothing is missing of it any more. */
  private takeOne(line: string): string | undefined {
    const result = this.read(line);
    const job = result && this.open.get(result.job);
    if (job === undefined) return undefined;
    const records = this.recordsOf(job, result!);
    if (records === undefined) return undefined;
    this.onRecords(job, records);
    // A job of an earlier coordinator may have missed less.
    const missing = job.missing.filter(({ cell }) => !records.some((record) => record.cell === cell));
    if (missing.length > 0) {
      this.open.set(jobId(job), { ...job, missing });
      return undefined;
    }
    this.open.delete(jobId(job));
    return jobId(job);
  }

  private read(line: string): JobResult | undefined {
    try {
      return parseResult(line);
    } catch (error) {
      this.firstFailure ??= error as UserError;
      return undefined;
    }
  }

  /** Those that were missing; undefined where the job has failed. */
  private recordsOf(job: Job, result: JobResult): JobRecord[] | undefined {
    const name = sampleName(this.spec.groups[job.group]!, job.sample);
    const place = `${name}, worker ${printable(result.worker)}`;
    if (result.kind === 'failed') {
      this.firstFailure ??= fromWorker(printableError(result.error, place));
      return undefined;
    }
    const width = this.spec.pipelines.length;
    const cells = this.cells.slice(job.group * width, (job.group + 1) * width);
    if (!result.records.every(({ cell, sample }) => cells.includes(cell) && sample === job.sample)) {
      this.firstFailure ??= new UserError('what was delivered is the result of another job', { place });
      return undefined;
    }
    return job.missing.flatMap(({ cell }) => {
      const record = result.records.find((one) => one.cell === cell);
      if (record === undefined) return [];
      return 'error' in record ? { ...record, error: printableError(record.error, place) } : record;
    });
  }
}
