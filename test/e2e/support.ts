/** Runs the built program as a user does. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const PROGRAM = fileURLToPath(new URL('../../bin/spark-eval.js', import.meta.url));

const HOLD = new URL('../support/hold.js', import.meta.url).href;

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function sparkEval(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  return { status, stdout, stderr };
}

export interface Started {
  readonly child: ChildProcess;
  /** What it has written to standard error so far. */
  readonly stderr: () => string;
  /** Its exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>;
}

interface StartOptions {
  readonly nodeArgs?: readonly string[];
  readonly stdin?: 'ignore' | 'pipe';
}

export function startSparkEval(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
  { nodeArgs = [], stdin = 'ignore' }: StartOptions = {},
): Started {
  const child = spawn(process.execPath, [...nodeArgs, PROGRAM, ...args], {
    stdio: [stdin, 'ignore', 'pipe'],
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, stderr: () => stderr, exited };
}

/** Waits until `condition` holds. Throws where the program ends before. */
export async function whileRunning({ child, stderr }: Started, condition: () => boolean): Promise<void> {
  while (!condition()) {
    if (child.exitCode !== null) throw new Error(`ended with code ${child.exitCode}: ${stderr()}`);
    await sleep(20);
  }
}

export interface Held extends Started {
  readonly go: () => void;
}

/** A run that has written its first result into `journal` and does nothing more until `go`, however long that takes. */
export async function startHeld(
  args: readonly string[],
  journal: string,
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<Held> {
  const started = startSparkEval(args, env, cwd, { nodeArgs: ['--import', HOLD], stdin: 'pipe' });
  await whileRunning(started, () => hasLine(journal));
  return { ...started, go: () => started.child.stdin!.end() };
}

/** Whether a file is there and holds a whole line. */
export function hasLine(path: string): boolean {
  return existsSync(path) && readFileSync(path).includes('\n');
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'spark-eval-e2e-'));
}

/** A spec file in `folder`; the text may leave out `output`, which then is `folder/out`. */
export function writeSpec(folder: string, text: string): string {
  const path = join(folder, 'spec.yaml');
  writeFileSync(path, text.includes('output:') ? text : `${text}\noutput: ${join(folder, 'out')}\n`);
  return path;
}
