/**
 * What runs in a worker process: jobs, as the parent sends them, and what it says of its engine.
 *
 * It ends with its parent, or when that says so. An interrupt from the terminal reaches every process of the run; the
 * parent decides what it means.
 */
import { openEngine } from '../engine/index.js';
import type { Engine } from '../engine/types.js';
import { reopenRegistry } from '../registry/load-plugins.js';
import { engineRecord } from './engine-record.js';
import type { JobRunner } from './jobs.js';
import { LocalRunner } from './local-runner.js';
import { openModel } from './models.js';
import { toWorkerError } from './worker-error.js';
import type { FromWorker, ToWorker } from './workers.js';

interface Started {
  readonly engine: Engine;
  readonly runner: JobRunner;
}

let starting: Promise<Started> | undefined;

process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (message: ToWorker) => {
  if (message.kind === 'start') {
    starting = start(message);
    starting.catch(() => undefined); // every question hears of it
  } else void answer(message);
});

async function start(message: ToWorker & { readonly kind: 'start' }): Promise<Started> {
  const { threads, cacheBytes } = message;
  const spec = { ...message.spec, registry: await reopenRegistry(message.plugins) };
  const engine = await openEngine(message.engine, threads === undefined ? {} : { threads });
  const runner = new LocalRunner({
    spec,
    engine,
    cacheBytes,
    filesOf: (model) => openModel(model, spec.folder),
    progress: {
      phase: (text) => {
        send({ kind: 'phase', text });
      },
      log: (text) => {
        send({ kind: 'log', text });
      },
    },
  });
  return { engine, runner };
}

async function answer(question: Exclude<ToWorker, { readonly kind: 'start' }>): Promise<void> {
  try {
    const { engine, runner } = await starting!;
    if (question.kind === 'job') send({ kind: 'records', records: await runner.run(question.job) });
    else {
      send({ kind: 'engine', engine: engineRecord(engine) });
    }
  } catch (error) {
    send({ kind: 'failed', error: toWorkerError(error) });
  }
}

function send(message: FromWorker): void {
  process.send!(message);
}
