/**
 * A SLURM cluster of this one machine, for as long as a test runs.
 *
 * All files are in one folder, with free ports, no control groups, everything as root. It is told from the machine's own
 * SLURM by `SLURM_CONF`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'sinfo', 'scancel'];
/** Debian keeps daemons where only root looks. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;
const START_MS = 60_000;

/** Why there can be none here; undefined where there can. */
export function whyNoSlurm(): string | undefined {
  const missing = PROGRAMS.filter(
    (name) => spawnSync('which', [name], { env: { ...process.env, PATH } }).status !== 0,
  );
  if (missing.length > 0) return `not installed: ${missing.join(', ')} (Debian: apt-get install slurm-wlm)`;
  return process.getuid?.() === 0 ? undefined : 'its daemons need root here';
}

export class OneNodeSlurm {
  private readonly daemons: ChildProcess[] = [];

  private constructor(
    /** Holds configuration, state and logs. */
    private readonly folder: string,
    readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Starts it and waits until the node is ready. */
  static async start(): Promise<OneNodeSlurm> {
    const folder = mkdtempSync(join(tmpdir(), 'one-node-slurm-'));
    const conf = join(folder, 'slurm.conf');
    const slurm = new OneNodeSlurm(folder, { SLURM_CONF: conf, PATH });
    chmodSync(folder, 0o755); // munged wants its socket where everybody can reach it
    for (const name of ['state', 'spool']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'munge.key'), randomBytes(128), { mode: 0o600 });
    writeFileSync(conf, await configuration(folder));
    slurm.daemon('munged', [
      '--foreground',
      ...['socket', 'key-file', 'log-file', 'pid-file', 'seed-file'].map(
        (name) => `--${name}=${join(folder, name === 'key-file' ? 'munge.key' : `munge.${name}`)}`,
      ),
    ]);
    slurm.daemon('slurmctld', ['-D']);
    slurm.daemon('slurmd', ['-D']);
    try {
      await slurm.ready();
      return slurm;
    } catch (error) {
      await slurm.stop();
      throw error;
    }
  }

  /** What the daemons have said. */
  logs(): string {
    return ['munged', 'slurmctld', 'slurmd']
      .map((name) => `--- ${name}\n${readFileSync(join(this.folder, `${name}.log`), 'utf8')}`)
      .join('\n');
  }

  /** Ends its jobs and its daemons, and removes its files. */
  async stop(): Promise<void> {
    this.call('scancel', ['--user=root']);
    for (const daemon of this.daemons.toReversed()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const exited = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      const hard = setTimeout(() => daemon.kill('SIGKILL'), 15_000);
      await exited;
      clearTimeout(hard);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private daemon(name: string, args: readonly string[]): void {
    const log = openSync(join(this.folder, `${name}.log`), 'w');
    const env = { ...process.env, ...this.env };
    this.daemons.push(spawn(name, args, { env, stdio: ['ignore', log, log] }));
  }

  private async ready(): Promise<void> {
    const end = Date.now() + START_MS;
    while (Date.now() < end) {
      if (this.call('sinfo', ['--noheader', '--format=%T']).trim() === 'idle') return;
      await sleep(200);
    }
    throw new Error(`the node is not ready\n${this.logs()}`);
  }

  private call(program: string, args: readonly string[]): string {
    return spawnSync(program, args, {
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, ...this.env },
    }).stdout;
  }
}

async function configuration(folder: string): Promise<string> {
  const node = hostname().split('.')[0]!;
  const [controllerPort, nodePort] = [await freePort(), await freePort()];
  return `
ClusterName=one
SlurmctldHost=${node}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
NodeName=${node} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=${node} Default=YES MaxTime=INFINITE State=UP
`;
}
