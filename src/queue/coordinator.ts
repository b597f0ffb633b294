/**
 * The coordinator of a run whose jobs are computed by workers elsewhere: `run --queue`.
 *
 * It looks at what stands in Redis rather than listen for events, so that results which came in while nobody was here
 * are taken, too.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { UserError } from '../base/errors.js';
import { canonicalJson, digestOf } from '../base/canonical-json.js';
import type { Manifest } from '../results/types.js';
import type { Job } from '../runner/jobs.js';
import type { PoolRun } from '../runner/pool.js';
import type { Progress } from '../runner/progress.js';
import type { EngineRecord } from '../runner/engine-record.js';
import { specHash } from '../experiment/load.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { RedisAddress } from './address.js';
import { COORDINATOR_LEASE_MS, QUEUE_PREFIX, RunBoard } from './board.js';
import type { Connection } from './connection.js';
import { engineIdentity, filesIdentity, pluginIdentity, programIdentity } from './identity.js';
import { Intake } from './intake.js';
import { printable, type RunCard, type SpecSource } from './messages.js';
import { Watch } from './watch.js';

/** Between two looks at the results, milliseconds. */
const POLL_MS = 200;
const LOOK_MS = 1000;
/** Jobs that are added in one go. */
const BATCH = 100;
/** What an interrupted coordinator waits for Redis at most, milliseconds. */
const LEAVE_MS = 5000;

export interface CoordinatorOptions {
  readonly address: RedisAddress;
  readonly source: SpecSource;
  /** Forget what an earlier coordinator of this run has left in Redis. */
  readonly fresh: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** One run of a coordinator. */
export class Coordinator {
  private readonly intake: Intake;
  private readonly card: RunCard;
  private readonly board: RunBoard;
  private readonly queue: Queue<Job, null>;
  private readonly owner: string;

  constructor(
    spec: ResolvedSpec,
    private readonly options: CoordinatorOptions,
    private readonly connection: Connection,
    jobs: readonly Job[],
    context: PoolRun,
  ) {
    this.card = cardOf(spec, options.source, context.manifest);
    this.owner = `${hostname()}, ${spec.output}`;
    this.board = new RunBoard(connection.redis, runId(spec, this.card));
    this.intake = new Intake(spec, this.board, context.manifest, jobs, context.onRecords);
    this.queue = new Queue(this.board.id, {
      connection: connection.redis,
      prefix: QUEUE_PREFIX,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
      streams: { events: { maxLen: 100 } },
    });
    this.queue.on('error', () => undefined); // the connection tells
  }

  async run(): Promise<void> {
    const { signal } = this.options;
    const { redis, close } = this.connection;
    // A Redis that is away, or does not answer, is not waited for.
    const leave = (): void => {
      setTimeout(close, redis.status === 'ready' ? LEAVE_MS : 0).unref();
    };
    signal.addEventListener('abort', leave);
    try {
      await this.claim();
      await this.work();
    } finally {
      await this.board.release(this.owner).catch(() => undefined);
      signal.removeEventListener('abort', leave);
    }
  }

  private async work(): Promise<void> {
    const { intake } = this;
    try {
      if (this.options.fresh) await this.wipe();
      while ((await this.take()) > 0);
      intake.forgetFailure(); // an earlier coordinator's
      await this.queue.drain(true);
      if (intake.open.size > 0) await this.publish();
      await this.untilDone();
      if (intake.failure() !== undefined) await this.untilOthersEnd();
      await this.wipe();
    } catch (error) {
      await this.withdraw().catch(() => undefined);
      throw error;
    }
    const failure = intake.failure();
    if (failure !== undefined) throw failure;
  }

  /** Until nothing is missing, or a job has failed. */
  private async untilDone(): Promise<void> {
    const { intake } = this;
    const { progress, signal, address } = this.options;
    const watch = new Watch(this.queue, this.board, progress, address.text);
    const mayClaim = every(COORDINATOR_LEASE_MS / 3);
    const mayLook = every(LOOK_MS);
    while (intake.open.size > 0 && intake.failure() === undefined) {
      signal.throwIfAborted();
      if (mayClaim()) await this.claim();
      // Looked at before the results are: a job that is over by then has its result there.
      const left = mayLook() ? await watch.look() : undefined;
      const taken = await this.take();
      if (left === 0 && taken === 0 && intake.open.size > 0) await this.publish(); // Redis came back empty
      if (taken === 0) await sleep(POLL_MS, undefined, { signal });
    }
  }

  /** After a failure: what the other workers are at is finished and kept, as on one machine. */
  private async untilOthersEnd(): Promise<void> {
    const { signal, progress } = this.options;
    for (let told = false; ; told = true) {
      await this.queue.drain(true);
      const active = await this.queue.getActiveCount();
      const taken = await this.take();
      if (active === 0 && taken === 0) return;
      if (!told && active > 0)
        progress.log(`a job has failed; waiting for ${active} that are being computed`);
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  private take(): Promise<number> {
    return this.intake.take((id) => this.queue.remove(id));
  }

  private async claim(): Promise<void> {
    const holder = await this.board.claim(this.owner);
    if (holder === undefined) return;
    throw new UserError(`another run of this spec has its queue there (${printable(holder)})`, {
      place: this.options.address.text,
      hint: `Wait for it, or use another database of that Redis. One that was killed is forgotten after ${COORDINATOR_LEASE_MS / 1000} seconds.`,
    });
  }

  /** Adds the jobs that are open; those that are there already stay as they are. */
  private async publish(): Promise<void> {
    await this.board.publish(JSON.stringify(this.card));
    const jobs = [...this.intake.open];
    for (let start = 0; start < jobs.length; start += BATCH) {
      this.options.signal.throwIfAborted();
      await this.queue.addBulk(
        jobs.slice(start, start + BATCH).map(([id, data]) => ({ name: 'sample', data, opts: { jobId: id } })),
      );
    }
  }

  /** Leaves what workers are computing, and what they have computed, for the next coordinator. */
  private async withdraw(): Promise<void> {
    await this.queue.drain(true);
    const active = await this.queue.getActiveCount();
    if (active > 0) {
      this.options.progress.log(
        `${active} of the queue's jobs are still being computed; the run takes their results when it goes on`,
      );
    } else if ((await this.board.oldestResults(1)).length === 0) await this.wipe();
  }

  private async wipe(): Promise<void> {
    await this.board.close();
    await this.queue.obliterate({ force: true });
  }
}

/** True at most once in so many milliseconds; at once the first time. */
function every(ms: number): () => boolean {
  let last = -Infinity;
  return () => {
    const due = performance.now() - last > ms;
    if (due) last = performance.now();
    return due;
  };
}

function cardOf(spec: ResolvedSpec, source: SpecSource, manifest: Manifest): RunCard {
  const engine = manifest.engine as EngineRecord;
  return {
    name: spec.name,
    spec: source,
    engine: engine.name,
    identity: {
      ...programIdentity(),
      ...engineIdentity(engine),
      ...filesIdentity(manifest),
      ...pluginIdentity(spec.registry.plugins),
    },
  };
}

/** Other results cannot come in under the same id: it hangs on all that must be the same. */
function runId(spec: ResolvedSpec, { identity }: RunCard): string {
  return `${spec.name}-${digestOf(canonicalJson([specHash(spec), identity])).slice(0, 16)}`;
}
