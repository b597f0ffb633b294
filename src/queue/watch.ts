/**
 * What a coordinator tells of its workers.
 *
 * Somebody who waits should see how many compute, and which workers refuse the run and why.
 */
import type { Queue } from 'bullmq';
import type { Job } from '../runner/jobs.js';
import type { Progress } from '../runner/progress.js';
import type { RunBoard } from './board.js';
import { printable } from './messages.js';

/** Nobody has computed for so long before it is said, milliseconds. */
const IDLE_MS = 3000;

export class Watch {
  private readonly refusals = new Map<string, string>();
  private busyAt = performance.now();
  private toldIdle = false;

  constructor(
    private readonly queue: Queue<Job, null>,
    private readonly board: RunBoard,
    private readonly progress: Pick<Progress, 'phase' | 'log'>,
    /** As it is shown. */
    private readonly url: string,
  ) {}

  /** Tells what is new. Gives the number of jobs that are in the queue, those that are being computed included. */
  async look(): Promise<number> {
    const active = await this.queue.getActive();
    const waiting = await this.queue.getJobCountByTypes('wait', 'delayed', 'prioritized');
    await this.tellRefusals();
    if (active.length > 0) this.tellWork(active);
    else this.tellIdle();
    return active.length + waiting;
  }

  private async tellRefusals(): Promise<void> {
    for (const [worker, reason] of Object.entries(await this.board.refused())) {
      if (this.refusals.get(worker) === reason) continue;
      this.refusals.set(worker, reason);
      const lines = reason.split('\n').map(printable).join('\n');
      this.progress.log(`worker ${printable(worker)} does not take this run: ${lines}`);
    }
  }

  private tellWork(active: readonly { readonly processedBy?: string; readonly progress: unknown }[]): void {
    this.busyAt = performance.now();
    this.toldIdle = false;
    const workers = new Set(active.map(({ processedBy }) => processedBy)).size;
    const phase = active.map(({ progress }) => progress).find((text) => typeof text === 'string');
    this.progress.phase(
      [
        `${workers} worker${workers === 1 ? '' : 's'}`,
        ...(phase === undefined ? [] : [printable(phase)]),
      ].join('  '),
    );
  }

  private tellIdle(): void {
    if (this.toldIdle || performance.now() - this.busyAt < IDLE_MS) return;
    this.toldIdle = true;
    const refused = this.refusals.size === 0 ? '' : `, and ${this.refusals.size} refused it (above)`;
    this.progress.log(`no worker is computing this run${refused}. Start one: spark-eval worker ${this.url}`);
  }
}
