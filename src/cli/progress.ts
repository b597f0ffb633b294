/**
 * How a run's progress is shown on standard error: a bar on a terminal, a plain line every few seconds elsewhere, JSON lines
 * for programs.
 *
 * What was done before a run went on counts as done, so that the bar does not begin at nothing again.
 */
import { SingleBar } from 'cli-progress';
import { formatSeconds } from './format.js';
import type { Progress } from '../runner/progress.js';

export type ProgressForm = 'auto' | 'json' | 'none';

/** Between two plain lines, milliseconds. */
const LINE_INTERVAL = 5000;
/** Between two phase lines of JSON, milliseconds. */
const PHASE_INTERVAL = 500;
const BAR_WIDTH = 24;

/**
 * @param now milliseconds; for tests
 * @param amount how a number of steps reads; JSON has the number itself
 */
export function createProgress(
  form: ProgressForm,
  stream: NodeJS.WriteStream = process.stderr,
  now: () => number = () => performance.now(),
  amount: (steps: number) => string = String,
): Progress {
  if (form === 'json') return new JsonProgress(stream, now);
  if (form === 'none') return quietProgress(stream);
  return stream.isTTY ? new BarProgress(stream, amount) : new LineProgress(stream, now, amount);
}

/** Warnings only. */
function quietProgress(stream: NodeJS.WriteStream): Progress {
  const nothing = (): void => undefined;
  return {
    start: nothing,
    phase: nothing,
    tick: nothing,
    log: (message) => stream.write(`${message}\n`),
    stop: nothing,
  };
}

class BarProgress implements Progress {
  private readonly bar: SingleBar;
  private running = false;
  /** Steps that were done at the start: there is nothing to reckon a time from. */
  private before = 0;
  private phaseName = '';

  constructor(
    private readonly stream: NodeJS.WriteStream,
    amount: (steps: number) => string,
  ) {
    this.bar = new SingleBar({
      stream,
      format: (_options, { progress, value, total, eta }, { phase }: { phase: string }) => {
        const filled = Math.round(progress * BAR_WIDTH);
        const left = value === this.before || value === total ? '' : `${formatSeconds(eta)} left  `;
        return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${amount(value)}/${amount(total)}  ${left}${phase}`;
      },
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 50,
      fps: 8,
      gracefulExit: false,
    });
  }

  start(total: number, _label: string, done = 0): void {
    this.before = done;
    this.bar.start(total, done, { phase: this.phaseName });
    this.running = true;
  }
  phase(name: string): void {
    this.phaseName = name;
    if (this.running) this.bar.update({ phase: name });
  }
  tick(n: number): void {
    this.bar.increment(n, { phase: this.phaseName });
  }
  log(message: string): void {
    this.stream.write(this.running ? `\r\u001b[K${message}\n` : `${message}\n`);
  }
  stop(): void {
    if (this.running) this.bar.stop();
    this.running = false;
  }
}

class LineProgress implements Progress {
  private total = 0;
  private done = 0;
  private label = '';
  private shownAt = -Infinity;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly now: () => number,
    private readonly amount: (steps: number) => string,
  ) {}

  start(total: number, label: string, done = 0): void {
    this.total = total;
    this.done = done;
    this.label = label;
  }
  phase(name: string): void {
    this.line(name);
  }
  tick(n: number, label: string): void {
    this.done += n;
    this.line(label, this.done === this.total);
  }
  log(message: string): void {
    this.stream.write(`${message}\n`);
  }
  stop(): void {
    this.shownAt = -Infinity;
  }

  private line(what: string, always = false): void {
    if (!always && this.now() - this.shownAt < LINE_INTERVAL) return;
    this.shownAt = this.now();
    const count = `${this.amount(this.done)}/${this.amount(this.total)}`;
    this.stream.write(`${this.label === '' ? '' : `${this.label}  ${count}  `}${what}\n`);
  }
}

class JsonProgress implements Progress {
  private total = 0;
  private done = 0;
  private phaseAt = -Infinity;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly now: () => number,
  ) {}

  start(total: number, label: string, done = 0): void {
    this.total = total;
    this.done = done;
    this.write({ event: 'start', total, done, label });
  }
  phase(name: string): void {
    if (this.now() - this.phaseAt < PHASE_INTERVAL) return;
    this.phaseAt = this.now();
    this.write({ event: 'phase', name });
  }
  tick(n: number, label: string): void {
    this.done += n;
    this.write({ event: 'tick', done: this.done, total: this.total, label });
  }
  log(message: string): void {
    this.write({ event: 'log', message });
  }
  stop(): void {
    this.write({ event: 'stop', done: this.done, total: this.total });
  }

  private write(event: Readonly<Record<string, unknown>>): void {
    this.stream.write(`${JSON.stringify(event)}\n`);
  }
}
