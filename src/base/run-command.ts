/**
 * Runs one external program and explains its failure.
 *
 * Arguments are passed as they are, without a shell, and a failing build tool is told with its last lines.
 */
import { spawn } from 'node:child_process';
import { UserError } from './errors.js';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the user can do if it fails. */
  readonly hint?: string;
}

const SHOWN_LINES = 15;

/**
 * Standard output of a program that ended with exit code 0.
 * @throws UserError with the last lines of its output where it cannot be started or fails.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let both = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    both += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    both += text;
  });
  const hint = options.hint === undefined ? {} : { hint: options.hint };
  const end = await new Promise<string>((resolve) => {
    child.on('error', (error) => {
      resolve(error.message);
    });
    child.on('close', (code, signal) => {
      resolve(code === 0 ? '' : signal === null ? `exit code ${String(code)}` : `signal ${signal}`);
    });
  });
  if (end === '') return stdout;
  const tail = both.trim().split('\n').slice(-SHOWN_LINES).join('\n');
  throw new UserError(`${command} failed (${end})${tail === '' ? '' : `:\n${tail}`}`, {
    place: [command, ...args.filter((arg) => arg.length < 80)].join(' '),
    ...hint,
  });
}

/** Whether a program can be started and ends with exit code 0. */
export async function commandWorks(command: string, args: readonly string[]): Promise<boolean> {
  return runCommand(command, args).then(
    () => true,
    () => false,
  );
}
