/**
 * The built program, run as a user does.
 *
 * A command which fails ends the benchmark.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Skip } from './types.js';

export const PROGRAM = fileURLToPath(new URL('../bin/spark-eval.js', import.meta.url));
const BUILT = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** Wall-clock seconds of `spark-eval args…`. Throws `Skip` where it is not built. */
export function secondsOf(args: readonly string[]): number {
  if (!existsSync(BUILT)) throw new Skip('the program is not built; npm run build');
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
  const took = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`spark-eval ${args.join(' ')} ended with ${status}:\n${stderr}`);
  return took;
}

/** Calls `use` with a folder that is gone afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'spark-eval-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
