/**
 * What every command gets: where to write, and the exit code that it leaves.
 *
 * Answers go to standard output and everything else to standard error, so that answers can be piped. Under
 * `--progress json` standard error is for programs: a JSON object a line.
 */
import type { UserError } from '../base/errors.js';

/** Exit codes: 0 done, 1 something failed, 2 the command or the spec is wrong, 3 incomplete, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

export class Session {
  exitCode: ExitCode = 0;
  /** Whether standard error is read by a program. */
  private readonly jsonLines: boolean;

  constructor(
    /** The arguments behind `spark-eval`. */
    readonly args: readonly string[],
    private readonly stdout: Pick<NodeJS.WriteStream, 'write'> = process.stdout,
    readonly stderr: NodeJS.WriteStream = process.stderr,
  ) {
    // Looked for here, so that an error in the arguments is told in the form that they ask for.
    this.jsonLines = args.some(
      (arg, a) => arg === '--progress=json' || (arg === 'json' && args[a - 1] === '--progress'),
    );
  }

  /** A line of the answer. */
  print(text: string): void {
    this.stdout.write(`${text}\n`);
  }

  /** A value as JSON, for programs. */
  printJson(value: unknown): void {
    this.print(JSON.stringify(value, undefined, 2));
  }

  /** A line that is not the answer. */
  note(text: string): void {
    if (this.jsonLines) this.event({ event: 'log', message: text.trim() });
    else this.stderr.write(`${text}\n`);
  }

  /** What ends a command. */
  fail(error: UserError): void {
    const { message, place, hint, exitCode } = error;
    if (this.jsonLines) this.event({ event: 'error', message, place, hint, exitCode });
    else this.note(error.format());
  }

  private event(event: Readonly<Record<string, unknown>>): void {
    this.stderr.write(`${JSON.stringify(event)}\n`);
  }
}
