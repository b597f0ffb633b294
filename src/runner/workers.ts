/**
 * Runners in processes of their own.
 *
 * Each process has its share of the threads. A worker never touches the result folder. The other end is
 * `worker-main.ts`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { threadsFromEnvironment } from '../engine/native/open.js';
import type { EngineName } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import { processors } from '../base/processors.js';
import { type PlainSpec, plainSpec, type ResolvedSpec } from '../experiment/types.js';
import type { PluginRecord } from '../registry/registry.js';
import type { EngineRecord } from './engine-record.js';
import type { Job, JobRecord, JobRunner } from './jobs.js';
import type { Progress } from './progress.js';
import { fromWorker, type WorkerError } from './worker-error.js';

/** To a worker; `start` comes first, once. */
export type ToWorker =
  | ({ readonly kind: 'start' } & Pick<WorkerOptions, 'engine' | 'threads' | 'cacheBytes'> & {
        readonly spec: PlainSpec;
        readonly plugins: readonly PluginRecord[];
      })
  | { readonly kind: 'engine' }
  | { readonly kind: 'job'; readonly job: Job };

/** From a worker: any number of lines, then one answer to each question. */
export type FromWorker = { readonly kind: 'phase' | 'log'; readonly text: string } | Answer;

type Answer =
  | { readonly kind: 'engine'; readonly engine: EngineRecord }
  | { readonly kind: 'records'; readonly records: readonly JobRecord[] }
  | { readonly kind: 'failed'; readonly error: WorkerError };

export interface WorkerOptions {
  readonly spec: ResolvedSpec;
  readonly engine: EngineName | 'auto';
  /** As in `EngineOptions`. */
  readonly threads?: number | undefined;
  /** As in `JobContext`. */
  readonly cacheBytes?: number | undefined;
  readonly progress: Pick<Progress, 'phase' | 'log'>;
  readonly signal: AbortSignal;
}

/** @throws UserError (exit code 2) where several processes cannot share what the engine computes on */
export function checkWorkers(workers: number, engine: EngineName): void {
  if (workers === 1 || engine !== 'gpu') return;
  throw new UserError('one GPU holds the weights of one process', {
    place: '--workers',
    hint: '--workers goes with --engine native and wasm.',
    exitCode: 2,
  });
}

/**
 * Threads of each of several workers: its share of the processors, at least 1. Undefined where the engine decides: for one
 * worker, or where the environment names a number. The numbers of a run do not depend on it.
 */
export function threadsOfEach(workers: number): number | undefined {
  if (workers === 1 || threadsFromEnvironment() !== undefined) return undefined;
  return Math.max(1, Math.floor(processors() / workers));
}

/** A worker's process is gone, whatever it was computing. */
export class WorkerEnded extends UserError {
  constructor(how: string) {
    super(`a worker ended early (${how})`, {
      hint: 'What is finished is kept. Use fewer --workers if the machine has run out of memory.',
    });
  }
}

/** One worker process. */
export class WorkerRunner implements JobRunner {
  private readonly child: ChildProcess;

  constructor(private readonly options: WorkerOptions) {
    this.child = fork(fileURLToPath(new URL('../runner/worker-main.js', import.meta.url)), {
      serialization: 'advanced',
      // The garbage collector's own threads would take from the other workers what they are to compute with.
      execArgv: [...process.execArgv, '--single-threaded-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // Without a listener an error of the channel would end this process; `run` hears of it by the exit.
    this.child.on('error', () => undefined);
    const { spec, engine, threads, cacheBytes } = options;
    this.send({
      kind: 'start',
      spec: plainSpec(spec),
      plugins: spec.registry.plugins,
      engine,
      threads,
      cacheBytes,
    });
  }

  async run(job: Job): Promise<readonly JobRecord[]> {
    return (await this.ask({ kind: 'job', job }, 'records')).records;
  }

  /** What the worker computes on. Rejects where the engine does not open. */
  async engine(): Promise<EngineRecord> {
    return (await this.ask({ kind: 'engine' }, 'engine')).engine;
  }

  private ask<Kind extends Answer['kind']>(
    question: ToWorker,
    kind: Kind,
  ): Promise<Extract<Answer, { readonly kind: Kind }>> {
    const { progress, signal } = this.options;
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.child.off('message', onMessage).off('exit', onExit);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onMessage = (message: FromWorker): void => {
        if (message.kind === 'phase' || message.kind === 'log') progress[message.kind](message.text);
        else if (message.kind === kind) {
          end(() => {
            resolve(message as Extract<Answer, { readonly kind: Kind }>);
          });
        } else if (message.kind === 'failed') {
          end(() => {
            reject(fromWorker(message.error));
          });
        }
      };
      const onExit = (code: number | null, by: string | null): void => {
        end(() => {
          reject(new WorkerEnded(by ?? `exit code ${code ?? 'unknown'}`));
        });
      };
      const onAbort = (): void => {
        end(() => {
          this.close();
          reject(signal.reason as Error);
        });
      };
      this.child.on('message', onMessage).on('exit', onExit);
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        onExit(this.child.exitCode, this.child.signalCode);
      } else if (signal.aborted) onAbort();
      else {
        signal.addEventListener('abort', onAbort);
        this.send(question);
      }
    });
  }

  close(): void {
    this.child.kill();
  }

  private send(message: ToWorker): void {
    // Where the worker is gone, its exit says so.
    this.child.send(message, () => undefined);
  }
}
