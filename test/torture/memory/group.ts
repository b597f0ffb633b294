/**
 * Commands with little memory: in a control group of their own, of either version of the interface.
 *
 * A process that outgrows it is killed by the system. A process that outgrows it is killed by the system.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAM, type Outcome } from '../../e2e/support.js';

const ROOT = '/sys/fs/cgroup';

export interface MemoryGroup {
  /** Runs the program in the group. */
  run(args: readonly string[]): Outcome;
  close(): void;
}

/** A group that may take so many bytes; undefined where this user cannot make one. */
export function memoryGroup(bytes: number): MemoryGroup | undefined {
  const [parent, limit] = existsSync(join(ROOT, 'memory'))
    ? [join(ROOT, 'memory'), 'memory.limit_in_bytes']
    : [ROOT, 'memory.max'];
  const folder = join(parent, `spark-eval-torture-${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, limit), String(Math.floor(bytes)));
    if (!(Number(readFileSync(join(folder, limit), 'utf8')) <= bytes))
      throw new Error('the limit was not taken');
  } catch {
    if (existsSync(folder)) rmdirSync(folder);
    return undefined;
  }
  return {
    run: (args) => {
      const enter = `echo $$ > ${join(folder, 'cgroup.procs')} && exec "$@"`;
      const { status, stdout, stderr } = spawnSync(
        'sh',
        ['-c', enter, 'sh', process.execPath, PROGRAM, ...args],
        {
          encoding: 'utf8',
          env: { ...process.env, NO_COLOR: '1' },
        },
      );
      return { status, stdout, stderr };
    },
    close: () => {
      rmdirSync(folder);
    },
  };
}
