/**
 * A process that reads cases, watched from outside and replaced when it has died, gone silent or grown.
 *
 * It bounds silence, memory, and the cases that one process reads.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Order, Reply } from './child.js';
import { MAX_CPU_MS, MAX_RSS_BYTES } from './judge.js';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
const HEAP_MIB = 320;
/** Caches of what was read are kept as long as a process lives, and so are its modules. */
const CASES_PER_PROCESS = 2000;
/** To be loaded or to break a file, on a busy machine. */
const START_MS = 60_000;
/** For one case: sleeping takes no processor. */
const MAX_CLOCK_MS = 30_000;
/** In which Linux counts. */
const TICK_MS = 10;

export class Reader {
  private child: ChildProcess | undefined;
  private left = 0;

  /** Reads a case in the process. Never throws because of a case. */
  async read(order: Order): Promise<Reply> {
    const child = await this.living();
    const reply = await answer(child, order);
    if (typeof reply === 'object' && reply.peakRssBytes <= MAX_RSS_BYTES && --this.left > 0) return reply;
    await this.close();
    if (typeof reply === 'object') return reply;
    return { outcome: { fault: reply }, cpuMs: 0, peakRssBytes: 0 };
  }

  async close(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  private async living(): Promise<ChildProcess> {
    if (this.child !== undefined) return this.child;
    const child = fork(CHILD, {
      execArgv: ['--import', 'tsx', `--max-old-space-size=${HEAP_MIB}`, '--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const first = await answer(child, undefined);
    if (first !== 'ready')
      throw new Error(`the process that reads cases does not start: ${JSON.stringify(first)}`);
    this.left = CASES_PER_PROCESS;
    return (this.child = child);
  }
}

/** The reply, or in words why there is none. Time counts from when the case was written. */
function answer(child: ChildProcess, order: Order | undefined): Promise<Reply | string> {
  return new Promise((resolve) => {
    const end = (reply: Reply | string): void => {
      clearTimeout(start);
      clearInterval(watch);
      child.off('message', onMessage).off('exit', onExit);
      resolve(reply);
    };
    const start = setTimeout(end, START_MS, `silent for ${START_MS} ms`);
    let watch: NodeJS.Timeout | undefined;
    const onMessage = (message: Reply | 'ready' | 'written'): void => {
      if (message !== 'written') {
        end(message);
        return;
      }
      clearTimeout(start);
      const [cpu, clock] = [cpuMs(child), performance.now()];
      watch = setInterval(() => {
        if (cpuMs(child) - cpu > MAX_CPU_MS) end(`silent for ${MAX_CPU_MS} ms of the processor`);
        else if (performance.now() - clock > MAX_CLOCK_MS) end(`silent for ${MAX_CLOCK_MS} ms`);
      }, 500);
    };
    const onExit = (code: number | null, signal: string | null): void => {
      end(`the process died: ${signal ?? `exit code ${code ?? '?'}`}`);
    };
    child.on('message', onMessage).once('exit', onExit);
    if (order !== undefined) child.send(order);
  });
}

/** What the process has used of the processor so far; where the system does not tell, the time of the clock. */
function cpuMs({ pid }: ChildProcess): number {
  try {
    const stat = readFileSync(`/proc/${pid!}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return performance.now();
  }
}
