/**
 * Result folders that vanish, may not be written, may not grow, or are wanted twice: what needs no mount.
 *
 * Another process takes the folder away.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROGRAM, sparkEval, startHeld, startSparkEval, type Outcome } from '../../e2e/support.js';
import {
  caseFolder,
  errorFaults,
  finishFaults,
  recordsIn,
  runInto,
  type Bench,
  type DiskCase,
} from './case.js';

/** A user without rights, where this process has them all. */
const NOBODY = 65_534;

/** The folder is moved away under a run and put back. */
export const movedAway: DiskCase = async (bench) => {
  const folder = caseFolder(bench, 'moved');
  const [out, aside] = [join(folder, 'out'), join(folder, 'aside')];
  const { outcome } = await interrupted(bench, out, () => {
    renameSync(out, aside);
  });
  const said = errorFaults(outcome, /out.*no longer .*\n {2}/);
  if (existsSync(out)) return [...said, 'the run made the folder again'];
  renameSync(aside, out);
  return [...said, ...finishFaults(bench, out, recordsIn(out))];
};

/** The folder is deleted under a run: nothing can be kept, and the same command starts over. */
export const deleted: DiskCase = async (bench) => {
  const out = join(caseFolder(bench, 'deleted'), 'out');
  const { outcome } = await interrupted(bench, out, () => {
    rmSync(out, { recursive: true });
  });
  return [...errorFaults(outcome, /out.*no longer .*\n {2}/), ...finishFaults(bench, out, recordsIn(out))];
};

/** Does something to a run that has begun, which waits meanwhile, and waits for its end. */
async function interrupted(bench: Bench, out: string, act: () => void): Promise<{ outcome: Outcome }> {
  const started = await startHeld(runInto(bench, out), join(out, 'journal.jsonl'));
  try {
    act();
  } finally {
    started.go();
  }
  return { outcome: { status: await started.exited, stdout: '', stderr: started.stderr() } };
}

export const notPermitted: DiskCase = (bench) => {
  const folder = caseFolder(bench, 'not-permitted');
  const out = join(folder, 'out');
  mkdirSync(out);
  chmodSync(out, 0o555);
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  for (const above of [bench.folder, dirname(bench.folder)]) chmodSync(above, 0o755);
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...runInto(bench, out)], {
    encoding: 'utf8',
    env: { ...process.env, HOME: folder },
    ...asNobody,
  });
  if (status === null || /Cannot find module|EACCES.*spark-eval\.js/.test(stderr)) {
    return 'the program cannot be read by a user without rights';
  }
  chmodSync(out, 0o755);
  return [
    ...errorFaults({ status, stdout, stderr }, /out.*: permission denied\n {2}Choose another output folder/),
    ...finishFaults(bench, out, []),
  ];
};

/** A file may not grow beyond a limit, for each of some, in blocks of 512 bytes. */
export const mayNotGrow =
  (limits: readonly number[]): DiskCase =>
  (bench) => {
    if (process.platform === 'win32') return 'Windows has no such limit';
    const faults: string[] = [];
    for (const blocks of limits) {
      const out = join(caseFolder(bench, `limit-${blocks}`), 'out');
      const limited = `ulimit -f ${blocks}; exec "$@"`;
      const args = ['-c', limited, 'sh', process.execPath, PROGRAM, ...runInto(bench, out)];
      const { status, stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8' });
      const before = recordsIn(out);
      const said =
        status === 0
          ? []
          : errorFaults({ status, stdout, stderr }, /out.*: the file may not grow .*\n {2}Choose/);
      faults.push(
        ...[...said, ...finishFaults(bench, out, before)].map((fault) => `${blocks} blocks: ${fault}`),
      );
    }
    return faults;
  };

const REFUSED = /out {2}another run is writing to this result folder \(process \d+ on .*\)\n {2}Wait for it/;

/** A second run while one is at work, which it must not disturb. */
export const secondRun: DiskCase = async (bench) => {
  const out = join(caseFolder(bench, 'second'), 'out');
  let second: Outcome | undefined;
  const { outcome } = await interrupted(bench, out, () => {
    second = sparkEval(runInto(bench, out));
  });
  const first = outcome.status === 0 ? [] : [`the first run: exit code ${outcome.status}: ${outcome.stderr}`];
  return [...first, ...errorFaults(second!, REFUSED), ...finishFaults(bench, out, recordsIn(out))];
};

/** Several runs at the same moment: one works, whoever comes while it does is refused. */
export const manyAtOnce: DiskCase = async (bench) => {
  const out = join(caseFolder(bench, 'many'), 'out');
  const all = Array.from({ length: 4 }, () => startSparkEval(runInto(bench, out)));
  const ends = await Promise.all(
    all.map(async ({ exited, stderr }) => ({ status: await exited, stdout: '', stderr: stderr() })),
  );
  const done = ends.filter(({ status }) => status === 0);
  const refused = ends.filter(({ status }) => status !== 0);
  return [
    ...(done.length === 0 ? ['none of them finished'] : []),
    ...refused.flatMap((end) => errorFaults(end, REFUSED)),
    ...finishFaults(bench, out, recordsIn(out)),
  ];
};
