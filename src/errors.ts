/**
 * The one error that a user's mistake or a broken file raises.
 *
 * Decides how such an error reads: place, what is wrong, what helps. Knows nothing of who raises it.
 */

export interface ErrorDetails {
  /** Where: `file:line:column`, a path, a flag. */
  readonly place?: string;
  /** What the user can do about it. */
  readonly hint?: string;
  /** Process exit code: 1 something failed, 2 the command or the spec is wrong, 3 incomplete. */
  readonly exitCode?: 1 | 2 | 3;
  readonly cause?: unknown;
}

/** A fault that is explained in one message; its stack is shown only with `--debug`. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly place: string | undefined;
  readonly hint: string | undefined;
  readonly exitCode: 1 | 2 | 3;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.place = details.place;
    this.hint = details.hint;
    this.exitCode = details.exitCode ?? 1;
  }

  /** `place  message  (hint)` as it is printed. */
  format(): string {
    const place = this.place === undefined ? '' : `${this.place}  `;
    const hint = this.hint === undefined ? '' : `\n  ${this.hint}`;
    return `${place}${this.message}${hint}`;
  }
}
