/**
 * A worker: computes the jobs of whichever runs it finds in a Redis.
 *
 * The run that it is at comes first, while that has jobs; a run that it cannot take is looked at once. One sample is
 * computed at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { UserError } from '../base/errors.js';
import type { RedisAddress } from './address.js';
import { admit, type AdmissionOptions } from './admission.js';
import { listRuns, RunBoard } from './board.js';
import { connectRedis, redisError } from './connection.js';
import { parseRunCard, printable } from './messages.js';
import { type Computed, Serving } from './serving.js';

/** Between two looks for work, milliseconds. */
const POLL_MS = 500;
/** What an interrupted worker waits for Redis at most, milliseconds. */
const LEAVE_MS = 3000;

export interface WorkerOptions extends AdmissionOptions {
  readonly address: RedisAddress;
  /** As it is shown; among the workers of a Redis it should be the only one of that name. */
  readonly name: string;
  readonly leaseMs: number;
  /** End when no job is waiting that this worker could take. */
  readonly untilIdle: boolean;
}

/** Works until interrupted, or idle. Gives how many samples it has computed. */
export async function serveQueue(options: WorkerOptions): Promise<number> {
  const { address, progress, signal } = options;
  const connection = await connectRedis(address, (line) => {
    progress.log(line);
  });
  const { redis } = connection;
  // What waits for a Redis that is away is not waited for.
  const leave = (): void => {
    setTimeout(connection.close, redis.status === 'ready' ? LEAVE_MS : 0).unref();
  };
  signal.addEventListener('abort', leave);
  const loop = new WorkLoop(redis, options);
  try {
    progress.log(`worker ${options.name} looks for runs at ${address.text}`);
    await loop.run();
  } catch (error) {
    if (!signal.aborted) throw redisError(error, address);
  } finally {
    signal.removeEventListener('abort', leave);
    await loop.close();
    connection.close();
  }
  return loop.computed;
}

class WorkLoop {
  computed = 0;
  /** By the id of the run, the one that has had the last job first. */
  private serving = new Map<string, Serving>();
  /** Why, by the id of the run. */
  private readonly refused = new Map<string, string>();

  constructor(
    private readonly redis: Redis,
    private readonly options: WorkerOptions,
  ) {}

  async run(): Promise<void> {
    const { signal, untilIdle } = this.options;
    for (;;) {
      await this.lookForRuns();
      signal.throwIfAborted();
      if (await this.computeNext()) continue;
      if (untilIdle) return;
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  async close(): Promise<void> {
    for (const serving of this.serving.values()) await serving.close();
  }

  /** Takes or refuses what is new, and leaves what is over. */
  private async lookForRuns(): Promise<void> {
    const ids = await listRuns(this.redis);
    for (const [id, serving] of this.serving) {
      if (ids.includes(id)) continue;
      this.options.progress.log(`${serving.name}: the run is over`);
      this.serving.delete(id);
      await serving.close();
    }
    for (const id of ids) {
      const reason = this.refused.get(id);
      // Said again: the coordinator may be another one.
      if (reason !== undefined) await new RunBoard(this.redis, id).refuse(this.options.name, reason);
      else if (!this.serving.has(id)) await this.meet(id);
    }
  }

  private async meet(id: string): Promise<void> {
    const { name, progress } = this.options;
    const board = new RunBoard(this.redis, id);
    try {
      const text = await board.card();
      if (text === undefined) return;
      const card = parseRunCard(text);
      progress.phase(`looking at ${printable(card.name)}`);
      const admitted = await admit(card, this.options);
      await board.forgetRefusal(name);
      const serving = await Serving.open(this.redis, board, admitted, { ...this.options, worker: name });
      this.serving.set(id, serving);
      progress.log(`takes ${serving.name}, on engine ${card.engine}`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.refused.set(id, error.format());
      progress.log(`does not take ${printable(id)}: ${error.format()}`);
      await board.refuse(name, error.format());
    }
  }

  private async computeNext(): Promise<boolean> {
    for (const [id, serving] of this.serving) {
      const job = await serving.next();
      if (job === undefined) continue;
      for (const other of this.serving.values()) if (other !== serving) other.rest();
      this.serving = new Map([[id, serving], ...this.serving]);
      this.tell(serving.name, await serving.compute(job));
      return true;
    }
    return false;
  }

  private tell(run: string, { result, seconds }: Computed): void {
    this.computed++;
    const what =
      result.kind === 'records' ? `${result.records.length} results` : `failed: ${result.error.message}`;
    this.options.progress.log(`${run}, job ${result.job}: ${what}, ${seconds.toFixed(2)} s`);
  }
}
