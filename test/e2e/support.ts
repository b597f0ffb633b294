/** Runs the built program as a user does. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bin/spark-eval.js', import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function sparkEval(args: readonly string[], env: NodeJS.ProcessEnv = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  return { status, stdout, stderr };
}

export function startSparkEval(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], { stdio: 'ignore' });
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
