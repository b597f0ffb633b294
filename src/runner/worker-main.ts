/**
 * What runs in a worker process: jobs, as the parent sends them.
 *
 * Decides when it ends: with its parent, or when that says so. An interrupt from the terminal reaches every process of
 * the run; the parent decides what it means.
 */
import { openEngine } from '../engine/index.js';
import { openModelFiles } from '../model/load.js';
import { LocalRunner, type JobRunner } from './job.js';
import { toWorkerError, type FromWorker, type ToWorker } from './workers.js';

let starting: Promise<JobRunner> | undefined;

process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (message: ToWorker) => {
  if (message.kind === 'job') void run(message);
  else {
    starting = start(message);
    starting.catch(() => undefined); // every job hears of it
  }
});

async function start({ spec, engine, cacheBytes }: ToWorker & { readonly kind: 'start' }): Promise<JobRunner> {
  return new LocalRunner({
    spec,
    engine: await openEngine(engine),
    cacheBytes,
    filesOf: (model) => openModelFiles(model),
    progress: {
      phase: (text) => {
        send({ kind: 'phase', text });
      },
      log: (text) => {
        send({ kind: 'log', text });
      },
    },
  });
}

async function run({ job }: ToWorker & { readonly kind: 'job' }): Promise<void> {
  try {
    const runner = await starting!;
    send({ kind: 'records', records: await runner.run(job) });
  } catch (error) {
    send({ kind: 'failed', error: toWorkerError(error) });
  }
}

function send(message: FromWorker): void {
  process.send!(message);
}
