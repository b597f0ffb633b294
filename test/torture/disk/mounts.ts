/**
 * Disks that are full, read-only, gone or stalled, as mounts: for whoever may mount.
 *
 * Their sizes make a run fail at each of its writes once, and stall it for a while.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasLine, sparkEval, startSparkEval, whileRunning } from '../../e2e/support.js';
import {
  caseFolder,
  errorFaults,
  finishFaults,
  recordsIn,
  runInto,
  type Bench,
  type DiskCase,
} from './case.js';

const NO_MOUNT = 'mounting is not permitted';
const PAGE = 4096;
const PAGES = 10;
const INODES = 8;
const STALLS = 3;
const STALL_MS = 2000;

function command(name: string, ...args: readonly string[]): boolean {
  return spawnSync(name, args, { stdio: 'ignore' }).status === 0;
}

/** Mounts for the time of `use`. */
async function mounted<T>(
  folder: string,
  args: readonly string[],
  use: (folder: string) => Promise<T> | T,
): Promise<T | string> {
  mkdirSync(folder, { recursive: true });
  if (!command('mount', ...args, folder)) return NO_MOUNT;
  try {
    return await use(folder);
  } finally {
    command('umount', '-l', folder);
  }
}

const tmpfs = (options: string): string[] => ['-t', 'tmpfs', '-o', options, 'none'];

/** A run on each of many small disks, then on the same disk with more room. */
const tooSmall =
  (what: string, options: readonly string[], larger: string): DiskCase =>
  async (bench) => {
    const faults: string[] = [];
    for (const [index, option] of options.entries()) {
      const end = await mounted(join(bench.folder, `${what}-${index}`), tmpfs(option), (disk) => {
        const out = join(disk, 'out');
        const outcome = sparkEval(runInto(bench, out));
        const before = recordsIn(out);
        // The largest of them may be large enough.
        const said =
          outcome.status === 0 ? [] : errorFaults(outcome, /out.*: the disk is full\n {2}Free some space/);
        command('mount', '-o', `remount,${larger}`, disk);
        return [...said, ...finishFaults(bench, out, before)];
      });
      if (typeof end === 'string') return end;
      faults.push(...end.map((fault) => `${option}: ${fault}`));
    }
    return faults;
  };

export const full = tooSmall(
  'full',
  Array.from({ length: PAGES }, (_, pages) => `size=${(pages + 1) * PAGE}`),
  'size=16m',
);

export const noMoreFiles = tooSmall(
  'inodes',
  Array.from({ length: INODES }, (_, inodes) => `nr_inodes=${inodes + 2},size=16m`),
  'nr_inodes=1000',
);

const READ_ONLY = /out.*: the file system is read-only\n {2}Choose another output folder/;

export const readOnly: DiskCase = (bench) =>
  mounted(join(bench.folder, 'read-only'), tmpfs('ro'), (disk) => {
    const out = join(disk, 'out');
    const said = errorFaults(sparkEval(runInto(bench, out)), READ_ONLY);
    command('mount', '-o', 'remount,rw', disk);
    return [...said, ...finishFaults(bench, out, [])];
  });

/** The disk fails, the system makes it read-only, and what was not synced is gone: as after a power cut. */
export const fails: DiskCase = async (bench) => {
  const out = join(bench.folder, 'fails', 'out');
  return onImage(bench, 'fails', async (disk, again) => {
    const started = startSparkEval(runInto(bench, out));
    await whileRunning(started, () => hasLine(join(out, 'journal.jsonl')));
    started.child.kill('SIGSTOP');
    const before = recordsIn(out).slice(0, -1); // the last one may not have been synced yet
    const failed = command('mount', '-o', 'remount,abort', disk);
    started.child.kill('SIGCONT');
    const status = await started.exited;
    if (!failed) return 'the system cannot make a disk fail';
    const said = errorFaults({ status, stdout: '', stderr: started.stderr() }, READ_ONLY);
    if (!again()) return NO_MOUNT;
    return [...said, ...finishFaults(bench, out, before)];
  });
};

/** A mount that goes away under a run, and comes back. */
export const unmounted: DiskCase = async (bench) => {
  const real = caseFolder(bench, 'unmounted-real');
  const folder = join(bench.folder, 'unmounted');
  const out = join(folder, 'out');
  const end = await mounted(folder, ['--bind', real], async () => {
    const started = startSparkEval(runInto(bench, out));
    await whileRunning(started, () => hasLine(join(out, 'journal.jsonl')));
    command('umount', '-l', folder);
    const status = await started.exited;
    const said = errorFaults({ status, stdout: '', stderr: started.stderr() }, /out.*no longer .*\n {2}/);
    const before = recordsIn(join(real, 'out'));
    if (!command('mount', '--bind', real, folder)) return NO_MOUNT;
    return [...said, ...finishFaults(bench, out, before)];
  });
  rmSync(real, { recursive: true, force: true });
  return end;
};

/** A disk that does not answer for seconds, again and again: the run waits and is right. */
export const stalls: DiskCase = (bench) =>
  onImage(bench, 'stalls', async (disk) => {
    const out = join(disk, 'out');
    const started = startSparkEval(runInto(bench, out));
    for (let stall = 0; stall < STALLS && started.child.exitCode === null; stall++) {
      await sleep(STALL_MS / 4);
      if (!command('fsfreeze', '-f', disk)) return 'fsfreeze is not permitted';
      await sleep(STALL_MS);
      command('fsfreeze', '-u', disk);
    }
    const status = await started.exited;
    const said = status === 0 ? [] : [`exit code ${status}: ${started.stderr()}`];
    return [...said, ...finishFaults(bench, out, recordsIn(out))];
  });

/** Uses a disk of its own, in a file; `again` takes it out and puts it back. */
function onImage<T>(
  bench: Bench,
  name: string,
  use: (disk: string, again: () => boolean) => Promise<T>,
): Promise<T | string> | string {
  const image = join(bench.folder, `${name}.image`);
  if (!command('truncate', '-s', '16M', image) || !command('mkfs.ext4', '-q', image))
    return 'mkfs.ext4 is missing';
  const options = ['-o', 'loop', image];
  return mounted(join(bench.folder, name), options, (disk) =>
    use(disk, () => command('umount', disk) && command('mount', ...options, disk)),
  );
}
