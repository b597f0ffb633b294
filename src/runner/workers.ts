/**
 * Runners in processes of their own, for engines that have one thread.
 *
 * Decides what goes between the processes, how a worker's failure reads here, and whether the machine has the memory for
 * so many. A worker never touches the result folder. The other end is `worker-main.ts`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../engine/types.js';
import { UserError } from '../errors.js';
import type { SampleRecord } from '../results/types.js';
import type { ResolvedSpec } from '../spec/types.js';
import type { Job, JobRunner } from './job.js';
import type { Progress } from './progress.js';

/** To a worker; `start` comes first, once. */
export type ToWorker =
  | { readonly kind: 'start'; readonly spec: ResolvedSpec; readonly engine: EngineName }
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
  readonly progress: Pick<Progress, 'phase' | 'log'>;
  readonly signal: AbortSignal;
}

/** Bytes that a worker takes beside the weights: Node, the engine, activations of a prefill. */
const WORKER_BYTES = 400e6;

/**
 * @param parameterBytes bytes of the largest model's weights as float32; wasm keeps them twice
 * @throws UserError (exit code 2) where the engine has threads of its own, or the workers need more memory than there is
 */
export function checkWorkers(workers: number, engine: EngineName, parameterBytes: number): void {
  if (workers === 1) return;
  if (engine === 'native' || engine === 'gpu') {
    throw new UserError(`engine ${engine} already uses all processors`, {
      place: '--workers',
      hint: '--workers goes with --engine wasm, which has one thread in each.',
      exitCode: 2,
    });
  }
  const each = 2 * parameterBytes + WORKER_BYTES;
  const limit = process.constrainedMemory();
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  if (workers * each <= memory) return;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new UserError(
    `${workers} workers need about ${gigabytes(workers * each)} GB of memory, this machine has ${gigabytes(memory)} GB`,
    { place: '--workers', hint: `Use at most ${Math.max(1, Math.floor(memory / each))}.`, exitCode: 2 },
  );
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
    this.send({ kind: 'start', spec: options.spec, engine: options.engine });
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
