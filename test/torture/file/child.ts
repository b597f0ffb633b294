/**
 * The process that reads broken files, one case after the other as it is told.
 *
 * Whoever started it watches its silence, its memory and its end.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { makeCase, writeCase } from './case.js';
import { judge, MAX_CPU_MS, MAX_RSS_BYTES, type Outcome } from './judge.js';
import { KINDS } from './kinds.js';

export interface Order {
  readonly kind: string;
  readonly seed: number;
  readonly number: number;
  /** Where the case is written; nothing else may appear beside it. */
  readonly folder: string;
}

export interface Reply {
  readonly outcome: Outcome;
  /** Of the processor, all threads. */
  readonly cpuMs: number;
  /** The most that the process held meanwhile. */
  readonly peakRssBytes: number;
}

const STATUS = '/proc/self/status';
const CLEAR_REFS = '/proc/self/clear_refs';
const RESET_PEAK = '5';

let uncaught: string | undefined;
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error: unknown) => {
    uncaught = `${event}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  });
}

async function obey({ kind: name, seed, number, folder }: Order): Promise<Reply> {
  const kind = KINDS.find((candidate) => candidate.name === name)!;
  const made = makeCase(kind, seed, number);
  mkdirSync(folder, { recursive: true });
  writeCase(made, folder);
  forgetEarlierMemory();
  process.send!('written');
  const started = process.cpuUsage();
  const outcome = await judge(kind, folder, made.sound);
  const { user, system } = process.cpuUsage(started);
  const cpuMs = (user + system) / 1000;
  await new Promise(setImmediate); // what nobody waited for
  const peakRssBytes = peakRss();
  const beside = readdirSync(dirname(folder)).filter((entry) => entry !== basename(folder));
  const faults = [
    ...(typeof outcome === 'object' ? [outcome.fault] : []),
    ...(uncaught === undefined ? [] : [uncaught]),
    ...(beside.length === 0 ? [] : [`wrote outside its folder: ${beside.join(', ')}`]),
    ...(cpuMs > MAX_CPU_MS ? [`took ${Math.round(cpuMs)} ms of the processor`] : []),
    ...(peakRssBytes > MAX_RSS_BYTES ? [`took ${Math.round(peakRssBytes / 2 ** 20)} MiB`] : []),
  ];
  uncaught = undefined;
  return { outcome: faults.length > 0 ? { fault: faults.join('; ') } : outcome, cpuMs, peakRssBytes };
}

/** What is garbage already, and the peak of the cases before, are not this case's. */
function forgetEarlierMemory(): void {
  if (process.memoryUsage.rss() > MAX_RSS_BYTES / 2) globalThis.gc!();
  if (existsSync(CLEAR_REFS)) writeFileSync(CLEAR_REFS, RESET_PEAK);
}

/** Linux knows it; elsewhere it is what is held now. */
function peakRss(): number {
  if (!existsSync(STATUS)) return process.memoryUsage.rss();
  return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(STATUS, 'utf8'))![1]);
}

process.on('message', (order: Order) => {
  obey(order).then(
    (reply) => process.send!(reply),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
process.send!('ready');
