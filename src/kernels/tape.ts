/**
 * A tape: kernel calls written down in items, for the threads of a crew.
 *
 * It lies in the memory that the calls work on. Layout and rules are in `assembly/work.ts`.
 */
import { SIGNATURES, type KernelCall } from './calls.js';
import type { KernelMemory, Pointer } from './memory.js';

/** Items of a tape, and 32-bit words of all their calls; who writes more runs what is there first. */
const ITEMS = 4096;
const WORDS = 1 << 20;
const HEADER_WORDS = 16;

/** No item: more than there can be, and threads that come late may still add to it. */
const NONE = 0x4000_0000;

const [NEXT, DONE, COUNT, WAITED_FOR] = [0, 1, 2, 3] as const;

/** Scratch of which each thread has its own; calls name that of the first. */
export interface Arena {
  readonly start: Pointer;
  /** Of one thread. */
  readonly bytes: number;
}

export class Tape {
  readonly pointer: Pointer;
  private readonly words: Int32Array;
  private readonly floats: Float32Array;
  private next = 0;
  private count = 0;

  /** Throws OutOfCacheMemory. */
  constructor(private readonly memory: KernelMemory) {
    const words = HEADER_WORDS + ITEMS + 1 + WORDS;
    this.pointer = memory.allocUncounted(4 * words);
    this.words = memory.integers(this.pointer, words);
    this.floats = memory.floats(this.pointer, words);
    this.clear();
  }

  get items(): number {
    return this.count;
  }

  /** Whether an item of `calls` calls may be too many. */
  isFull(calls: number): boolean {
    return this.count + 1 >= ITEMS || this.next + 20 * calls > this.words.length;
  }

  /** Begins an item: calls that one thread does, one after the other. */
  item(): void {
    this.words[HEADER_WORDS + this.count] = this.address();
    this.count++;
  }

  /** Writes a call down, in the item that was begun last. */
  write(kernel: KernelCall, args: readonly number[], arena: Arena | undefined): void {
    const { number, kinds } = SIGNATURES[kernel];
    const at = this.next;
    let inArena = 0;
    for (let i = 0; i < kinds.length; i++) {
      const value = args[i]!;
      if (kinds[i] === 'f') this.floats[at + 2 + i] = value;
      else this.words[at + 2 + i] = value;
      const isOwn =
        kinds[i] === 'p' && arena !== undefined && value >= arena.start && value < arena.start + arena.bytes;
      if (isOwn) inArena |= 1 << i;
    }
    this.words[at] = number | (kinds.length << 8);
    this.words[at + 1] = inArena;
    this.next = at + 2 + kinds.length;
  }

  /** Lets threads take items. */
  open(): void {
    this.words[HEADER_WORDS + this.count] = this.address();
    this.words[DONE] = 0;
    Atomics.store(this.words, COUNT, this.count);
    Atomics.store(this.words, NEXT, 0);
  }

  isDone(): boolean {
    return Atomics.load(this.words, DONE) === this.count;
  }

  /** For an error that should never be. */
  get state(): string {
    const [next, done] = [Atomics.load(this.words, NEXT), Atomics.load(this.words, DONE)];
    return `${done} of ${this.count} items done, the next is ${next}`;
  }

  /** Sleeps until an item is done, at most so long. */
  wait(milliseconds: number): void {
    Atomics.store(this.words, WAITED_FOR, 1);
    const done = Atomics.load(this.words, DONE);
    if (done !== this.count) Atomics.wait(this.words, DONE, done, milliseconds);
    Atomics.store(this.words, WAITED_FOR, 0);
  }

  /** Forgets the items. All of them must be done. */
  clear(): void {
    Atomics.store(this.words, NEXT, NONE);
    this.count = 0;
    this.next = HEADER_WORDS + ITEMS + 1;
  }

  free(): void {
    this.memory.free(this.pointer);
  }

  private address(): Pointer {
    return this.pointer + 4 * this.next;
  }
}
