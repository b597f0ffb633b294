/**
 * `spark-eval worker URL`: computes samples for runs that were started with `run --queue`.
 *
 * An interrupt gives the sample that is being computed back to the queue.
 */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EngineName } from '../../engine/types.js';
import { parseRedisUrl } from '../../queue/address.js';
import { plural } from '../format.js';
import { onInterrupt } from '../interrupt.js';
import { loadRegistry } from '../catalogue.js';
import {
  engineOption,
  memoryOption,
  threadsOption,
  progressOption,
  useOption,
  type UseOptions,
} from '../options.js';
import type { ProgressForm } from '../progress.js';
import type { Session } from '../session.js';

interface WorkerOptions extends UseOptions {
  readonly engine: EngineName | 'auto';
  readonly name: string;
  readonly folder?: string;
  readonly memory?: number;
  readonly threads?: number;
  readonly lease: number;
  readonly untilIdle?: boolean;
  readonly progress: ProgressForm;
}

export function addWorker(root: Command, session: Session): void {
  root
    .command('worker')
    .description('compute samples for all runs that were started with "run --queue" on the same Redis')
    .argument('<url>', 'redis://host:port/database, or rediss:// (password: SPARK_EVAL_REDIS_PASSWORD)')
    .addOption(engineOption("auto takes each run's own; another one: only runs on that"))
    .addOption(
      new Option('--name <name>', 'what the coordinator calls it')
        .default(`${hostname()}-${process.pid}`, 'host and process')
        .argParser(workerName),
    )
    .addOption(memoryOption())
    .addOption(threadsOption())
    .addOption(
      new Option('--lease <seconds>', 'how long a job stays with this worker when nothing is heard of it')
        .default(30)
        .argParser(leaseSeconds),
    )
    .option(
      '--folder <folder>',
      "where relative paths of specs start here (default: the spec's own folder where it is here, too, else the working directory)",
    )
    .addOption(useOption())
    .option('--until-idle', 'end when no job is waiting that this worker could take')
    .addOption(progressOption())
    .action((url: string, options: WorkerOptions) => work(url, options, session));
}

async function work(url: string, options: WorkerOptions, session: Session): Promise<void> {
  const address = parseRedisUrl(url);
  const interrupt = onInterrupt(session, 'the sample that is being computed goes back to the queue');
  try {
    const [{ serveQueue }, { createProgress }] = await Promise.all([
      import('../../queue/worker.js'),
      import('../progress.js'),
    ]);
    const computed = await serveQueue({
      address,
      registry: await loadRegistry(options.use),
      engine: options.engine,
      name: options.name,
      folder: options.folder === undefined ? undefined : resolve(options.folder),
      memory: options.memory,
      threads: options.threads,
      leaseMs: 1000 * options.lease,
      untilIdle: options.untilIdle === true,
      progress: createProgress(options.progress, session.stderr),
      signal: interrupt.signal,
    });
    session.note(`${plural(computed, 'job')} computed`);
    if (interrupt.signal.aborted) session.exitCode = 130;
  } finally {
    interrupt.stop();
  }
}

function workerName(text: string): string {
  if (/^[\w.@-]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected up to 100 letters, digits, ".", "_", "@" or "-".');
}

function leaseSeconds(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of seconds, from 1 to 99999.');
}
