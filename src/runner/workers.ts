/**
 * Runners in processes of their own, for engines that have one thread.
 *
 * Decides what goes between the processes, and how a worker's failure reads here. A worker never touches the result
 * folder. The other end is `worker-main.ts`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../engine/types.js';
import { UserError } from '../errors.js';
import type { SampleRecord } from '../results/types.js';
import type { ResolvedSpec } from '../spec/types.js';
import type { Job, JobRunner } from './job.js';
import type { Progress } from './progress.js';

/** To a worker; `start` comes first, once. */
export type ToWorker =
  | ({ readonly kind: 'start' } & Pick<WorkerOptions, 'spec' | 'engine' | 'cacheBytes'>)
  | { readonly kind: 'job'; readonly job: Job };

/** From a worker: any number of lines, then how the job ended. */
export type FromWorker =
  | { readonly kind: 'phase' | 'log'; readonly text: string }
  | { readonly kind: 'records'; readonly records: readonly SampleRecord[] }
  | { readonly kind: 'failed'; readonly error: WorkerError };

/** An error, as it goes between processes. */
export interface WorkerError {
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a UserError. */
  readonly user: Pick<UserError, 'place' | 'hint' | 'exitCode'> | undefined;
}

export interface WorkerOptions {
  readonly spec: ResolvedSpec;
  readonly engine: EngineName;
  /** As in `JobContext`. */
  readonly cacheBytes?: number | undefined;
  readonly progress: Pick<Progress, 'phase' | 'log'>;
  readonly signal: AbortSignal;
}

/** @throws UserError (exit code 2) where the engine has threads of its own */
export function checkWorkers(workers: number, engine: EngineName): void {
  if (workers === 1 || (engine !== 'native' && engine !== 'gpu')) return;
  throw new UserError(`engine ${engine} already uses all processors`, {
    place: '--workers',
    hint: '--workers goes with --engine wasm, which has one thread in each.',
    exitCode: 2,
  });
}

/** One worker process. */
export class WorkerRunner implements JobRunner {
  private readonly child: ChildProcess;

  constructor(private readonly options: WorkerOptions) {
    this.child = fork(fileURLToPath(new URL('../runner/worker-main.js', import.meta.url)), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // Without a listener an error of the channel would end this process; `run` hears of it by the exit.
    this.child.on('error', () => undefined);
    const { spec, engine, cacheBytes } = options;
    this.send({ kind: 'start', spec, engine, cacheBytes });
  }

  run(job: Job): Promise<readonly SampleRecord[]> {
    const { progress, signal } = this.options;
    return new Promise<readonly SampleRecord[]>((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.child.off('message', onMessage).off('exit', onExit);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onMessage = (message: FromWorker): void => {
        if (message.kind === 'records') {
          end(() => {
            resolve(message.records);
          });
        } else if (message.kind === 'failed') {
          end(() => {
            reject(fromWorker(message.error));
          });
        } else progress[message.kind](message.text);
      };
      const onExit = (code: number | null, by: string | null): void => {
        end(() => {
          reject(
            new UserError(`a worker ended early (${by ?? `exit code ${code ?? 'unknown'}`})`, {
              hint: 'What is finished is kept. Use fewer --workers if the machine has run out of memory.',
            }),
          );
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
        this.send({ kind: 'job', job });
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

export function toWorkerError(error: unknown): WorkerError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, user: undefined };
  const { message, stack } = error;
  if (!(error instanceof UserError)) return { message, stack, user: undefined };
  const { place, hint, exitCode } = error;
  return { message, stack, user: { place, hint, exitCode } };
}

function fromWorker({ message, stack, user }: WorkerError): Error {
  const error =
    user === undefined
      ? new Error(message)
      : new UserError(message, {
          ...(user.place === undefined ? {} : { place: user.place }),
          ...(user.hint === undefined ? {} : { hint: user.hint }),
          exitCode: user.exitCode,
        });
  if (stack !== undefined) error.stack = stack;
  return error;
}
