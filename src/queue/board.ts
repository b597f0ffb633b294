/**
 * What Redis holds of one run, beside the queue of its jobs.
 *
 * One coordinator at a time has a run, and nothing is written for a run that is over: nobody would clear it away.
 */
import type { Redis } from 'ioredis';
import { UserError } from '../base/errors.js';

/** Begins the keys of all queues. */
export const QUEUE_PREFIX = 'spark-eval:queue';

/** Run cards by the id of the run. */
const RUNS = 'spark-eval:runs';
/** A longer card is not read, bytes. */
const MAX_CARD_BYTES = 2 ** 27;
/** A coordinator that has not been heard of for so long is gone, milliseconds. */
export const COORDINATOR_LEASE_MS = 30_000;

/** Runs a command on a key of a run, where that is not over. */
const WHILE_RUNNING = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call(ARGV[2], KEYS[2], unpack(ARGV, 3))
return 1`;

/** Takes or keeps a lease; gives the holder where that is somebody else. */
const CLAIM = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false`;

/** Removes what a look for lost jobs, under way as a run ended, has left of its queue. */
const SWEEP = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return end
redis.call('DEL', unpack(KEYS, 2))`;

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

/** The ids of all runs in a Redis. */
export function listRuns(redis: Redis): Promise<string[]> {
  return redis.hkeys(RUNS);
}

export class RunBoard {
  private readonly results: string;
  private readonly refusals: string;
  private readonly coordinator: string;

  constructor(
    private readonly redis: Redis,
    /** Also the name of its queue. */
    readonly id: string,
  ) {
    this.results = `spark-eval:results:${id}`;
    this.refusals = `spark-eval:refusals:${id}`;
    this.coordinator = `spark-eval:coordinator:${id}`;
  }

  /** Lets workers find the run. */
  async publish(card: string): Promise<void> {
    await this.redis.hset(RUNS, this.id, card);
  }

  /** Undefined where the run is over. Throws UserError where the card is too long to be one. */
  async card(): Promise<string | undefined> {
    if ((await this.redis.hstrlen(RUNS, this.id)) > MAX_CARD_BYTES)
      throw new UserError('what stands in Redis is too long for a run');
    return (await this.redis.hget(RUNS, this.id)) ?? undefined;
  }

  /** Takes or keeps the run for a coordinator; gives the one who has it, where that is another. */
  async claim(owner: string): Promise<string | undefined> {
    const holder = await this.redis.eval(CLAIM, 1, this.coordinator, owner, COORDINATOR_LEASE_MS);
    return typeof holder === 'string' ? holder : undefined;
  }

  async release(owner: string): Promise<void> {
    await this.redis.eval(RELEASE, 1, this.coordinator, owner);
  }

  /** From a worker. False, and dropped, where the run is over. */
  async deliver(result: string): Promise<boolean> {
    return (await this.redis.eval(WHILE_RUNNING, 2, RUNS, this.results, this.id, 'RPUSH', result)) === 1;
  }

  /** From a worker that leaves the run: clears its traces, where that is over. */
  async sweep(): Promise<void> {
    const keys = ['meta', 'stalled-check', 'events'].map((name) => `${QUEUE_PREFIX}:${this.id}:${name}`);
    await this.redis.eval(SWEEP, 1 + keys.length, RUNS, ...keys, this.id);
  }

  /** The oldest results, which stay until they are dropped. */
  oldestResults(count: number): Promise<string[]> {
    return this.redis.lrange(this.results, 0, count - 1);
  }

  async dropOldestResults(count: number): Promise<void> {
    if (count > 0) await this.redis.ltrim(this.results, count, -1);
  }

  /** From a worker: why it does not take this run. */
  async refuse(worker: string, reason: string): Promise<void> {
    await this.redis.eval(WHILE_RUNNING, 2, RUNS, this.refusals, this.id, 'HSET', worker, reason);
  }

  async forgetRefusal(worker: string): Promise<void> {
    await this.redis.hdel(this.refusals, worker);
  }

  /** Reasons by worker. */
  refused(): Promise<Record<string, string>> {
    return this.redis.hgetall(this.refusals);
  }

  /** Takes the run from the workers; what they still write is dropped. */
  async close(): Promise<void> {
    await this.redis.hdel(RUNS, this.id);
    await this.redis.del(this.results, this.refusals);
  }
}
