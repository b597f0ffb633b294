/**
 * Workers of a queue, one and as many as there are processors, each with one thread.
 *
 * Compared are jobs per minute while all workers of a run compute, between the first result of the last of them and the
 * last result of the first; starting them and loading the weights do not count. The queue's share is what a worker's
 * time between two results is longer than its computing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { processors } from '../src/base/processors.js';
import { REDIS_INSTALLED, startRedis } from '../test/support/redis.js';
import { PROGRAM, withFolder } from './program.js';
import { median, Skip, type Bench, type BenchContext } from './types.js';

/** Jobs that take about the same time. */
const SPEC = ['experiments/quickstart.yaml', '--engine', 'wasm', '--set', 'context=1024'];
/** Of each of the two groups, per worker. */
const SAMPLES = 16;

/** One result: when a worker told of it, and how long it computed; seconds. */
interface Result {
  readonly at: number;
  readonly computed: number;
}

export const queue: Bench = {
  name: 'queue',
  run: async ({ repeat, log }: BenchContext) => {
    if (!REDIS_INSTALLED) throw new Skip('redis-server is not installed');
    const count = processors();
    if (count === 1) throw new Skip('there is one processor');
    const server = await startRedis();
    const url = `redis://127.0.0.1:${server.port}/0`;
    try {
      const rounds = [];
      for (let r = 0; r < repeat; r++) {
        const [one, all] = [await runWith(url, 1), await runWith(url, count)];
        const efficiency = rateOf(all) / (count * rateOf(one));
        const share = queueShare(all);
        log(
          `queue ${r + 1}/${repeat}: 1 worker ${(60 * rateOf(one)).toFixed(1)} jobs a minute, ` +
            `${count} workers ${(60 * rateOf(all)).toFixed(1)}; the queue takes ${(100 * share).toFixed(2)} %`,
        );
        rounds.push({ efficiency, share });
      }
      return [
        {
          name: `jobs per minute, ${count} queue workers / (${count} × 1)`,
          value: median(rounds.map(({ efficiency }) => efficiency)),
          limit: 0.9,
          bound: 'at least',
        },
        {
          name: "the queue's share of a worker's time",
          value: median(rounds.map(({ share }) => share)),
          limit: 0.01,
          bound: 'at most',
        },
      ];
    } finally {
      await server.stop();
    }
  },
};

/** The results of each worker of one run. */
async function runWith(url: string, workers: number): Promise<Result[][]> {
  return withFolder(async (folder) => {
    const set = ['--set', `output=${join(folder, 'out')}`, '--set', `samples=${SAMPLES * workers}`];
    const coordinator = start(['run', ...SPEC, ...set, '--queue', url, '--progress', 'none']);
    const results = Array.from({ length: workers }, (): Result[] => []);
    const children = results.map((mine, index) => {
      const child = start(['worker', url, '--name', `w${index}`]);
      createInterface({ input: child.stderr! }).on('line', (line) => {
        const computed = /, job \S+: \d+ results, ([\d.]+) s$/.exec(line)?.[1];
        if (computed !== undefined) mine.push({ at: performance.now() / 1000, computed: Number(computed) });
      });
      return child;
    });
    const [status] = (await once(coordinator, 'exit')) as [number | null];
    for (const child of children) {
      child.kill();
      await once(child, 'exit');
    }
    if (status !== 0) throw new Error(`the coordinator ended with ${status}`);
    return results;
  });
}

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.resume();
  return child;
}

/** Jobs per second while all workers compute. */
function rateOf(results: readonly Result[][]): number {
  const from = Math.max(...results.map((mine) => mine[0]!.at));
  const to = Math.min(...results.map((mine) => mine.at(-1)!.at));
  return results.flat().filter(({ at }) => at > from && at <= to).length / (to - from);
}

function queueShare(results: readonly Result[][]): number {
  const spans = results.map((mine) => mine.at(-1)!.at - mine[0]!.at);
  const computed = results.map((mine) => mine.slice(1).reduce((sum, result) => sum + result.computed, 0));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return 1 - sum(computed) / sum(spans);
}
