/**
 * What every command gets: where to write, and the exit code that it leaves.
 *
 * Decides that answers go to standard output and everything else to standard error.
 */

/** Exit codes: 0 done, 1 something failed, 2 the command or the spec is wrong, 3 incomplete, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

export class Session {
  exitCode: ExitCode = 0;

  constructor(
    /** The arguments behind `spark-eval`. */
    readonly args: readonly string[],
    private readonly stdout: Pick<NodeJS.WriteStream, 'write'> = process.stdout,
    readonly stderr: NodeJS.WriteStream = process.stderr,
  ) {}

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
    this.stderr.write(`${text}\n`);
  }
}
