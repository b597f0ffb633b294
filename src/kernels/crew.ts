/**
 * The threads that do kernel calls together: the main one, and workers on the same memories.
 *
 * The main thread writes a tape and takes items like the others; it waits only for items that others have begun. Workers
 * spin for about a tenth of a millisecond, then sleep, and do not keep the process alive.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { processors } from '../base/processors.js';
import type { KernelMemory } from './memory.js';
import { kernelModule } from './module.js';
import { Tape, type Arena } from './tape.js';
import { Kernels } from './index.js';
import type { Caller } from './calls.js';
import { MemoryPool } from './memory-pool.js';
import { StepKernels } from './step.js';

/** Words of `control`; what they are is said in `assets/kernel-thread.js`. */
const [ASKED, WHAT, ASLEEP, ANSWERED, FAILED] = [0, 1, 2, 3, 4] as const;
const ANSWERS = 16;
const MESSAGES = -1;
const END = -2;

/** Looks before sleeping, some 5 ns each. Where threads share a processor, nobody waits for another by looking. */
const SPINS = 20_000;

/** Without any item done for so long, something is broken. */
const PATIENCE_MS = 120_000;

interface Member {
  readonly worker: Worker;
  readonly port: MessagePort;
}

/** Work on one memory, written down for all threads. */
interface Site {
  readonly index: number;
  readonly tape: Tape;
  readonly write: Caller;
  readonly later: StepKernels;
  readonly now: StepKernels;
  arena: Arena | undefined;
}

export class Crew {
  /** Memories that weights lie in. */
  readonly pool = new MemoryPool();
  private readonly control: Int32Array;
  private readonly sites = new Map<KernelMemory, Site>();
  private readonly members: Member[] = [];
  private readonly spins: number;
  private failure: string | undefined;

  private constructor(
    readonly threads: number,
    processors: number,
  ) {
    this.spins = threads <= processors ? SPINS : 0;
    this.control = new Int32Array(new SharedArrayBuffer(4 * (ANSWERS + threads))).fill(-1, ANSWERS);
  }

  /**
   * Starts the threads.
   *
   * @param threads at least 1, the main one counted
   * @param processors that this process may use
   */
  static async open(threads: number, processors: number): Promise<Crew> {
    const crew = new Crew(threads, processors);
    for (let thread = 1; thread < threads; thread++) crew.members.push(crew.start(thread));
    try {
      await Promise.all(crew.members.map(({ worker }) => started(worker)));
    } catch (error) {
      crew.close();
      throw error;
    }
    crew.expectAnswers();
    for (const { worker, port } of crew.members) {
      worker.unref();
      port.unref();
    }
    return crew;
  }

  /** Just this thread. */
  static alone(): Crew {
    return (aloneCrew ??= new Crew(1, 1));
  }

  /** Kernels of attention whose calls are written down, in the item that `item` began last. */
  recorder(memory: KernelMemory): Kernels {
    return new Kernels(memory, this.site(memory).write);
  }

  /** The other kernels, their calls written down likewise. */
  later(memory: KernelMemory): StepKernels {
    return this.site(memory).later;
  }

  /** The other kernels, on this thread, at once. */
  now(memory: KernelMemory): StepKernels {
    return this.site(memory).now;
  }

  /** Begins an item on a memory, of at most so many calls. Does what is written down first where the tape is full. */
  item(memory: KernelMemory, calls: number): void {
    const { tape } = this.site(memory);
    if (tape.isFull(calls)) this.run(memory);
    tape.item();
  }

  /** Scratch that the thread has for itself that does the item; the same address for all items. */
  scratch(memory: KernelMemory, bytes: number): number {
    const site = this.site(memory);
    if (site.arena === undefined || site.arena.bytes < bytes) {
      this.run(memory);
      const size = Math.ceil(Math.max(bytes, 1.25 * (site.arena?.bytes ?? 0)) / 64) * 64;
      if (site.arena !== undefined) memory.free(site.arena.start);
      site.arena = undefined;
      site.arena = { start: memory.allocUncounted(size * this.threads), bytes: size };
      this.tell({ index: site.index, shift: size });
    }
    return site.arena.start;
  }

  /** Does all items of a memory; returns when they are done. */
  run(memory: KernelMemory): void {
    const { tape, index } = this.site(memory);
    if (tape.items === 0) return;
    tape.open();
    if (tape.items > 1 && this.members.length > 0) this.ask(index);
    memory.code.work(tape.pointer, 0);
    this.waitFor(tape);
    tape.clear();
  }

  /** Ends the threads; gives tapes and arenas back. */
  close(): void {
    this.ask(END);
    for (const { worker, port } of this.members) {
      port.close();
      void worker.terminate();
    }
    this.members.length = 0;
    for (const [memory, { tape, arena }] of this.sites) {
      tape.free();
      if (arena !== undefined) memory.free(arena.start);
    }
    this.sites.clear();
  }

  private start(thread: number): Member {
    const { port1: port, port2 } = new MessageChannel();
    const data = { control: this.control, module: kernelModule(), port: port2, thread, spins: this.spins };
    const worker = new Worker(threadFile(), {
      workerData: data,
      transferList: [port2],
      // the flags of the program are none of its own
      execArgv: [],
    });
    return { worker, port };
  }

  private site(memory: KernelMemory): Site {
    const known = this.sites.get(memory);
    if (known !== undefined) return known;
    const tape = new Tape(memory);
    const write: Caller = (kernel, ...args) => {
      tape.write(kernel, args, site.arena);
    };
    const now: Caller = (kernel, ...args) => {
      memory.code[kernel](...args);
    };
    const site: Site = {
      ...{ index: this.sites.size, tape, write, arena: undefined },
      ...{ later: new StepKernels(write), now: new StepKernels(now) },
    };
    this.sites.set(memory, site);
    const bytes = memory.code.scratchBytes();
    this.tell({ index: site.index, shift: 0 }, () => ({
      memory: memory.memory,
      tape: tape.pointer,
      scratch: memory.allocUncounted(bytes),
    }));
    return site;
  }

  /** Sends the same to all workers, with something for each, and waits until they have it. */
  private tell(message: object, each: () => object = () => ({})): void {
    if (this.members.length === 0) return;
    for (const { port } of this.members) port.postMessage({ ...message, ...each() });
    this.ask(MESSAGES);
    this.expectAnswers();
  }

  private ask(what: number): void {
    Atomics.store(this.control, WHAT, what);
    Atomics.add(this.control, ASKED, 1);
    if (Atomics.load(this.control, ASLEEP) > 0) Atomics.notify(this.control, ASKED);
  }

  private expectAnswers(): void {
    const give = performance.now() + PATIENCE_MS;
    for (;;) {
      const answers = Atomics.load(this.control, ANSWERED);
      const asked = Atomics.load(this.control, ASKED);
      if (this.members.every((_, i) => Atomics.load(this.control, ANSWERS + 1 + i) >= asked)) return;
      this.expectAlive(performance.now() > give ? 'it was asked for something' : undefined);
      Atomics.wait(this.control, ANSWERED, answers, 100);
      // glibc before 2.41 may lose a wake-up of a condition variable (its bug 25847): it is given again
      Atomics.notify(this.control, ASKED);
    }
  }

  private waitFor(tape: Tape): void {
    for (let i = 0; i < this.spins; i++) if (tape.isDone()) return;
    const give = performance.now() + PATIENCE_MS;
    while (!tape.isDone()) {
      tape.wait(100);
      this.expectAlive(!tape.isDone() && performance.now() > give ? tape.state : undefined);
    }
  }

  /** Throws where a thread has failed: its item is not done by anybody. */
  private expectAlive(late: string | undefined): void {
    const thread = Atomics.load(this.control, FAILED);
    if (thread === 0 && late === undefined && this.failure === undefined) return;
    const member = this.members[thread - 1];
    const told = member === undefined ? undefined : receiveMessageOnPort(member.port);
    const failure = (told as { message?: { failure?: string } } | undefined)?.message?.failure;
    this.failure ??= failure ?? `it does not answer${late === undefined ? '' : ` (${late})`}`;
    throw new Error(`a thread of the kernels failed: ${this.failure}`);
  }
}

let aloneCrew: Crew | undefined;

/**
 * The threads, or this one alone where no other can be started.
 *
 * @param log told why, then
 */
export async function openCrew(threads: number, log: (line: string) => void): Promise<Crew> {
  try {
    return await Crew.open(threads, processors());
  } catch (error) {
    log(`the kernels run in one thread: ${error instanceof Error ? error.message : String(error)}`);
    return Crew.open(1, 1);
  }
}

/** Resolves when the thread runs; rejects where it cannot. */
function started(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('online', resolve);
    worker.once('error', reject);
  });
}

/** In `assets/` beside the package.json above this file, whether it runs from `src/` or from `dist/`. */
function threadFile(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'assets', 'kernel-thread.js');
}
