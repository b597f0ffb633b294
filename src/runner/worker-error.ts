/**
 * Errors on their way between processes and machines.
 *
 * All that a UserError says arrives, the message and the stack of any other.
 */
import { UserError } from '../base/errors.js';

export interface WorkerError {
  readonly message: string;
  readonly stack?: string | undefined;
  /** Of a UserError. */
  readonly user?:
    | {
        readonly place?: string | undefined;
        readonly hint?: string | undefined;
        readonly exitCode: UserError['exitCode'];
      }
    | undefined;
}

export function toWorkerError(error: unknown): WorkerError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, user: undefined };
  const { message, stack } = error;
  if (!(error instanceof UserError)) return { message, stack, user: undefined };
  const { place, hint, exitCode } = error;
  return { message, stack, user: { place, hint, exitCode } };
}

/** The error of a worker, here. */
export function fromWorker({ message, stack, user }: WorkerError): Error {
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
