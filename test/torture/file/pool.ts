/**
 * A process that reads cases, watched from outside and replaced when it has died, gone silent or grown.
 *
 * Decides how long it may be silent, how much memory it has, and how many cases one process reads. Knows no format.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Order, Reply } from './child.js';
import { MAX_MS, MAX_RSS_BYTES } from './judge.js';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
const HEAP_MIB = 320;
/** Caches of what was read are kept as long as a process lives, and so are its modules. */
const CASES_PER_PROCESS = 2000;
/** To be loaded, on a busy machine. */
const START_MS = 60_000;

export class Reader {
  private child: ChildProcess | undefined;
  private left = 0;

  /** Reads a case in the process. Never throws because of a case. */
  async read(order: Order): Promise<Reply> {
    const child = await this.living();
    const started = performance.now();
    const reply = await answer(child, order);
    if (typeof reply === 'object' && reply.peakRssBytes <= MAX_RSS_BYTES && --this.left > 0) return reply;
    await this.close();
    if (typeof reply === 'object') return reply;
    return { outcome: { fault: reply }, ms: performance.now() - started, peakRssBytes: 0 };
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
    const first = await answer(child, undefined, START_MS);
    if (first !== 'ready')
      throw new Error(`the process that reads cases does not start: ${JSON.stringify(first)}`);
    this.left = CASES_PER_PROCESS;
    return (this.child = child);
  }
}

/** The reply, or in words why there is none. Time counts from when the case was written. */
function answer(child: ChildProcess, order: Order | undefined, most = MAX_MS): Promise<Reply | string> {
  return new Promise((resolve) => {
    const end = (reply: Reply | string): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
      resolve(reply);
    };
    const silent = (): void => {
      end(`silent for ${most} ms`);
    };
    let timer = setTimeout(silent, START_MS);
    const onMessage = (message: Reply | 'ready' | 'written'): void => {
      clearTimeout(timer);
      if (message === 'written') timer = setTimeout(silent, most);
      else end(message);
    };
    const onExit = (code: number | null, signal: string | null): void => {
      end(`the process died: ${signal ?? `exit code ${code ?? '?'}`}`);
    };
    child.on('message', onMessage).once('exit', onExit);
    if (order !== undefined) child.send(order);
  });
}
