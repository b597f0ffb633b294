/** Runs the built program as a user does. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const PROGRAM = fileURLToPath(new URL('../../bin/spark-eval.js', import.meta.url));

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

export function startSparkEval(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Started {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
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
