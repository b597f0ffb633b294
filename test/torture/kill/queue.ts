/**
 * Coordinator and worker as victims: each is killed while the other one lives on.
 *
 * A lease lasts a second, so that the jobs of the dead are soon taken again, and a finished run leaves nothing in Redis.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { PROGRAM, sparkEval } from '../../e2e/support.js';
import { REDIS_INSTALLED, startRedis } from '../../support/redis.js';
import { folderFaults, journalLines, RECORDS, reference, RESULT_FILES, writeSpec } from './results.js';
import type { Victim, VictimMaker } from './victim.js';

const LEASE = ['--lease', '1'];
/** A job that loses its worker more often is given up by design. */
const MOST_LOST = 5;
/** Longest that a coordinator may take to hear of its last result. */
const LATE_MS = 60_000;
/** A worker that lives may need so long to see that a run is over, and to clear its traces. */
const LEAVE_MS = 5000;
const ABSENT = 'redis-server is not installed';

/** `run --queue`, with a worker that outlives it. */
export const coordinator: VictimMaker = async (folder) => {
  const bench = await makeBench(folder);
  if (bench === undefined) return ABSENT;
  const worker = start(['worker', bench.url, ...LEASE, '--progress', 'none']);
  return {
    ...victim(bench, 'run --queue', runArgs(bench)),
    reset: () => startOver(bench),
    faults: () => finalFaults(bench),
    close: async () => {
      await end(worker);
      await bench.close();
    },
  };
};

/** `worker`, of a coordinator that outlives it. */
export const worker: VictimMaker = async (folder) => {
  const bench = await makeBench(folder);
  if (bench === undefined) return ABSENT;
  const args = ['worker', bench.url, ...LEASE, '--until-idle', '--progress', 'none'];
  let coordinator: ChildProcess | undefined;
  return {
    ...victim(bench, 'worker', args),
    mostKills: MOST_LOST,
    reset: async () => {
      if (coordinator !== undefined) await end(coordinator);
      await startOver(bench);
      coordinator = start(runArgs(bench));
      await published(bench);
    },
    faults: async () => {
      const until = performance.now() + LATE_MS;
      // Whatever a dead worker held is taken again when its lease is over, by whoever is there then.
      const over = (): boolean => coordinator!.exitCode !== null || performance.now() > until;
      while (!over()) {
        await sleep(500);
        if (!over()) sparkEval(args);
      }
      if (coordinator!.exitCode !== 0)
        return [`the coordinator did not end: ${String(coordinator!.exitCode)}`];
      return finalFaults(bench);
    },
    close: async () => {
      if (coordinator !== undefined) await end(coordinator);
      await bench.close();
    },
  };
};

interface Bench {
  readonly spec: string;
  readonly out: string;
  readonly accuracy: string;
  readonly url: string;
  readonly redis: Redis;
  readonly close: () => Promise<void>;
}

async function makeBench(folder: string): Promise<Bench | undefined> {
  if (!REDIS_INSTALLED) return undefined;
  const spec = writeSpec(folder);
  const { port, client, stop } = await startRedis();
  return {
    spec,
    out: join(folder, 'out'),
    accuracy: reference(folder, spec),
    url: `redis://127.0.0.1:${port}/0`,
    redis: client,
    close: stop,
  };
}

function runArgs({ spec, url }: Bench): string[] {
  return ['run', spec, '--engine', 'wasm', '--progress', 'none', '--queue', url];
}

function victim(
  { out }: Bench,
  name: string,
  args: readonly string[],
): Omit<Victim, 'reset' | 'faults' | 'close'> {
  return { name, args, env: {}, watched: out, finished: () => journalLines(out) };
}

async function startOver({ out, redis }: Bench): Promise<void> {
  await redis.flushall();
  rmSync(out, { recursive: true, force: true });
}

/** The coordinator has put jobs into the queue. */
async function published({ redis }: Bench): Promise<void> {
  while ((await redis.keys('*:wait')).length === 0) await sleep(50);
}

async function finalFaults({ out, accuracy, redis }: Bench): Promise<string[]> {
  const until = performance.now() + LEAVE_MS;
  let left = await redis.keys('*');
  while (left.length > 0 && performance.now() < until) {
    await sleep(100);
    left = await redis.keys('*');
  }
  return [
    ...folderFaults(out, { records: RECORDS, files: RESULT_FILES, accuracy }),
    ...(left.length > 0 ? [`left in Redis: ${left.join(', ')}`] : []),
  ];
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], { stdio: 'ignore' });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}
