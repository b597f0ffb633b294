/**
 * One life of a command: started, killed, started again, and in the end left alone.
 *
 * A kill comes by the clock over the whole life of the command, or at a change of the folder that it writes to.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/base/random.js';
import { PROGRAM } from '../../e2e/support.js';
import type { Finished, Victim } from './victim.js';

/** Marks the processes of a victim, its children included. */
const MARK = 'SPARK_EVAL_TORTURE';
/** Longest that a command may take, and that its children may outlive it. */
const HANG_MS = 120_000;
const ORPHAN_MS = 10_000;

/** What an undisturbed command takes. */
export interface Life {
  readonly ms: number;
  /** Changes of the folder that it writes to. */
  readonly changes: number;
}

export interface RoundFigures {
  kills: number;
  /** Finished things that were looked for after a kill. */
  checked: number;
  lost: number;
  double: number;
  /** In words. */
  readonly faults: string[];
}

export const NO_KILLS: Omit<RoundFigures, 'faults'> = { kills: 0, checked: 0, lost: 0, double: 0 };

/** Runs the command once without a kill; throws where that fails. */
export async function measureLife(victim: Victim): Promise<Life> {
  await victim.reset();
  const running = start(victim);
  const started = performance.now();
  const code = await running.ended;
  const ms = performance.now() - started;
  const faults =
    code === (victim.exitCode ?? 0) ? await victim.faults() : [`exit code ${code}: ${running.stderr()}`];
  running.stop();
  if (faults.length > 0) throw new Error(`${victim.name} fails undisturbed: ${faults.join('; ')}`);
  return { ms, changes: running.changes() };
}

/** Kills a fresh life up to `kills` times, then lets it finish. */
export async function runRound(
  victim: Victim,
  kills: number,
  random: Random,
  life: Life,
): Promise<RoundFigures> {
  const figures: RoundFigures = { ...NO_KILLS, faults: [] };
  await victim.reset();
  let before: Finished[] = [];
  const look = (): void => {
    const now = victim.finished();
    compare(before, now, figures);
    before = now;
  };
  for (let kill = 0; kill < Math.min(kills, victim.mostKills ?? kills); kill++) {
    const ended = await killOnce(victim, random, life);
    look();
    if (ended.code === null) figures.kills++;
    else {
      if (ended.code !== (victim.exitCode ?? 0))
        figures.faults.push(`exit code ${ended.code} after ${kill} kills: ${ended.stderr}`);
      break;
    }
  }
  const last = start(victim);
  const code = await last.ended;
  last.stop();
  if (code !== (victim.exitCode ?? 0))
    figures.faults.push(`exit code ${code} after ${figures.kills} kills: ${last.stderr()}`);
  figures.faults.push(...(await victim.faults()), ...(await orphans()));
  look();
  return figures;
}

function compare(before: readonly Finished[], now: readonly Finished[], figures: RoundFigures): void {
  const found = new Map(now);
  figures.double += now.length - found.size;
  figures.checked += before.length;
  for (const [name, bytes] of before) if (found.get(name) !== bytes) figures.lost++;
}

async function killOnce(
  victim: Victim,
  random: Random,
  { ms, changes }: Life,
): Promise<{ code: number | null; stderr: string }> {
  const uniform = random.uint32() / 2 ** 32;
  const byChange = changes > 0 && random.below(2) === 0;
  const running = start(victim, byChange ? 1 + Math.floor(uniform * changes) : undefined);
  const timer = byChange ? undefined : setTimeout(running.kill, uniform * ms);
  const code = await running.ended;
  clearTimeout(timer);
  running.stop();
  return { code, stderr: running.stderr() };
}

interface Running {
  /** The exit code; null where it was killed. */
  readonly ended: Promise<number | null>;
  readonly kill: () => void;
  readonly stderr: () => string;
  readonly changes: () => number;
  /** Lets go of its output. */
  readonly stop: () => void;
}

/** @param killAt number of the change of the watched folder at which it is killed */
function start({ args, env, watched }: Victim, killAt?: number): Running {
  mkdirSync(watched, { recursive: true });
  let changes = 0;
  const watcher = watch(watched, () => {
    if (++changes === killAt) child.kill('SIGKILL');
  });
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', [MARK]: String(process.pid), ...env },
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let hung = false;
  const limit = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, HANG_MS);
  // Not `close`: children of a killed process may hold its output open, and the next start must bear them.
  const ended = once(child, 'exit').then(([code]) => {
    clearTimeout(limit);
    if (hung) throw new Error(`${args.join(' ')} did not end in ${HANG_MS / 1000} s: ${stderr}`);
    return code as number | null;
  });
  return {
    ended,
    kill: () => child.kill('SIGKILL'),
    stderr: () => stderr.trim(),
    changes: () => changes,
    stop: () => {
      watcher.close();
      child.stderr!.destroy();
    },
  };
}

/** Processes of killed commands that do not end by themselves; known on Linux only. */
async function orphans(): Promise<string[]> {
  const until = performance.now() + ORPHAN_MS;
  for (;;) {
    const left = marked();
    if (left.length === 0) return [];
    if (performance.now() > until) return left.map((pid) => `process ${pid} outlived a killed command`);
    await sleep(50);
  }
}

function marked(): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  const mark = `${MARK}=${process.pid}\0`;
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, 'latin1').includes(mark);
    } catch {
      return false;
    }
  });
}
