/**
 * One run that a worker has taken: its jobs, computed one at a time.
 *
 * Computing is done in a process of its own, so that nothing holds up the renewal of the lease.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job as QueuedJob, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { UserError } from '../base/errors.js';
import type { Job, JobRunner } from '../runner/jobs.js';
import type { Progress } from '../runner/progress.js';
import { sampleName } from '../runner/sample/sample-name.js';
import { weightSetsOf } from '../methods/weight-sets.js';
import { toWorkerError } from '../runner/worker-error.js';
import { WorkerEnded } from '../runner/workers.js';
import type { Admitted } from './admission.js';
import { QUEUE_PREFIX, type RunBoard } from './board.js';
import { jobId, type JobResult, parseJob } from './messages.js';

/** Between two words to the coordinator about what is being done, milliseconds. */
const TELL_MS = 1000;
/** From a run that is not there to a second look for it, milliseconds. */
const AGAIN_MS = 3000;
/** As often a job may lose its worker before it is given up: it may be what ends them. */
const MAX_LOST = 5;

export interface ServingOptions {
  readonly worker: string;
  /** Milliseconds for which a job is this worker's without another word of it. */
  readonly leaseMs: number;
  readonly progress: Pick<Progress, 'phase' | 'log'>;
  readonly signal: AbortSignal;
}

type Taken = QueuedJob<unknown, null>;

export interface Computed {
  readonly result: JobResult;
  /** Of the computing alone, without what the queue takes. */
  readonly seconds: number;
}

export class Serving {
  private readonly source: Worker<unknown, null>;
  private readonly token = randomUUID();
  private readonly weightSets: number;
  private runner: JobRunner | undefined;
  private telling: ((phase: string) => void) | undefined;

  private constructor(
    redis: Redis,
    private readonly board: RunBoard,
    private readonly admitted: Admitted,
    private readonly options: ServingOptions,
  ) {
    this.weightSets = weightSetsOf(admitted.spec.pipelines, admitted.spec.registry.methods).length;
    this.source = new Worker(board.id, null, {
      connection: redis,
      prefix: QUEUE_PREFIX,
      autorun: false,
      name: options.worker,
      lockDuration: options.leaseMs,
      stalledInterval: options.leaseMs / 2,
      maxStalledCount: MAX_LOST,
    });
    this.source.on('error', () => undefined); // the connection tells
  }

  get name(): string {
    return this.admitted.spec.name;
  }

  /** Takes a run, and begins to look for jobs of it whose workers are gone. */
  static async open(
    redis: Redis,
    board: RunBoard,
    admitted: Admitted,
    options: ServingOptions,
  ): Promise<Serving> {
    const serving = new Serving(redis, board, admitted, options);
    await serving.source.startStalledCheckTimer();
    return serving;
  }

  /** The next job, which is this worker's from now on; undefined where none is waiting. */
  next(): Promise<Taken | undefined> {
    return this.source.getNextJob(this.token, { block: false });
  }

  /**
   * Computes a job and delivers what comes out, a failure of the sample included.
   *
   * @throws WorkerEnded, or the signal's reason; the job is then back in the queue
   */
  async compute(taken: Taken): Promise<Computed> {
    const renewal = setInterval(() => {
      // One that cannot be renewed is computed on: its result counts where it comes first.
      taken.extendLock(this.token, this.options.leaseMs).catch(() => undefined);
    }, this.options.leaseMs / 3);
    this.telling = throttle((phase) => {
      taken.updateProgress(phase).catch(() => undefined);
    });
    try {
      const started = performance.now();
      const result = await this.resultOf(taken);
      const seconds = (performance.now() - started) / 1000;
      await this.deliver(JSON.stringify(result));
      // Where the job is another worker's by now, or the run is over, there is nothing left to end.
      await taken.moveToCompleted(null, this.token, false).catch(() => undefined);
      return { result, seconds };
    } catch (error) {
      await taken.moveToWait(this.token).catch(() => undefined);
      throw error;
    } finally {
      clearInterval(renewal);
      this.telling = undefined;
    }
  }

  /** Gives the memory back; the next job starts another process. */
  rest(): void {
    this.runner?.close();
    this.runner = undefined;
  }

  async close(): Promise<void> {
    this.rest();
    await this.source.close(true).catch(() => undefined);
    await this.board.sweep().catch(() => undefined);
  }

  /** A Redis that has lost its memory is given the run again by the coordinator. */
  private async deliver(result: string): Promise<void> {
    if (await this.board.deliver(result)) return;
    await sleep(AGAIN_MS, undefined, { signal: this.options.signal });
    await this.board.deliver(result);
  }

  private async resultOf(taken: Taken): Promise<JobResult> {
    const { worker, signal } = this.options;
    const id = taken.id!;
    try {
      const job = this.expectOwn(parseJob(taken.data));
      if (taken.deferredFailure) {
        throw new UserError(`${MAX_LOST + 1} workers were lost while they computed this sample`, {
          place: sampleName(this.admitted.spec.groups[job.group]!, job.sample),
          hint: 'Has the machine run out of memory? (spark-eval worker --memory, spark-eval estimate)',
        });
      }
      this.runner ??= this.startRunner();
      return { kind: 'records', worker, job: id, records: [...(await this.runner.run(job))] };
    } catch (error) {
      if (signal.aborted || error instanceof WorkerEnded) throw error;
      return { kind: 'failed', worker, job: id, error: toWorkerError(error) };
    }
  }

  private startRunner(): JobRunner {
    const { progress } = this.options;
    return this.admitted.start({
      phase: (text) => {
        progress.phase(text);
        this.telling?.(text);
      },
      log: (text) => {
        progress.log(text);
      },
    });
  }

  private expectOwn(job: Job): Job {
    const { spec, cells } = this.admitted;
    const group = spec.groups[job.group];
    const own = ({ pipeline, cell }: Job['missing'][number]): boolean =>
      pipeline < spec.pipelines.length && cells[job.group * spec.pipelines.length + pipeline] === cell;
    const known = group !== undefined && job.sample < group.samples && job.weightSet < this.weightSets;
    if (known && job.missing.every(own)) return job;
    throw new UserError(`the queue holds a job that is not of this spec: ${jobId(job)}`);
  }
}

/** At most once every `TELL_MS`; the calls between are left out. */
function throttle(tell: (text: string) => void): (text: string) => void {
  let toldAt = -Infinity;
  return (text) => {
    if (performance.now() - toldAt < TELL_MS) return;
    toldAt = performance.now();
    tell(text);
  };
}
