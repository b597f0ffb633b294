/**
 * The one error that a user's mistake or a broken file raises.
 *
 * Whoever catches it can print place, fault and help in one form, without a stack trace.
 */

export interface ErrorDetails {
  /** Where: `file:line:column`, a path, a flag. */
  readonly place?: string | undefined;
  /** What the user can do about it. */
  readonly hint?: string | undefined;
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

  /** The same error in a wider place: `place, own place`. */
  at(place: string): UserError {
    return new UserError(this.message, {
      place: this.place === undefined ? place : `${place}, ${this.place}`,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      exitCode: this.exitCode,
      cause: this,
    });
  }

  /** `place  message  (hint)` as it is printed: what a file put into it commands no terminal and fills no screen. */
  format(): string {
    const place = this.place === undefined ? '' : `${this.place}  `;
    const hint = this.hint === undefined ? '' : `\n  ${this.hint}`;
    return `${place}${this.message}${hint}`.replace(CONTROL, escaped).split('\n').map(shortened).join('\n');
  }
}

/** All control characters but tab and line feed, and those that turn the direction of writing. */
const CONTROL = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Characters. */
const LONGEST_LINE = 1000;
const LAST_PART = 200;

function shortened(line: string): string {
  const most = LONGEST_LINE - LAST_PART - 3;
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, most)} … ${line.slice(-LAST_PART)}`;
}

function escaped(character: string): string {
  if (character === '\t' || character === '\n') return character;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
