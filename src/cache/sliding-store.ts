/**
 * The keys and values of one KV head that a sliding window still reaches, oldest first.
 *
 * A ring: tokens leave in the order in which they came, and nothing is moved when one does. Its size is what is held, up to
 * a few rows more as long as the window is not full.
 * Alphabet: n held tokens, D width, W window.
 */
import { bitsOf, entryBytes, EntryWriter } from '../kernels/entries.js';
import type { KernelMemory, Pointer } from '../kernels/memory.js';
import type { PackedSide, Segment } from './rows/segment.js';
import type { CacheDtype } from './types.js';

/** Rows by which the ring grows towards the window. */
const ROOM = 32;

const SIDES = { keys: 0, values: 1 } as const;
export type SideName = keyof typeof SIDES;

export class SlidingStore {
  /** `[2, capacity, D]`: keys, then values. */
  private buffer: Pointer | undefined;
  private capacity = 0;
  private first = 0;
  /** True positions of the held tokens, ascending. */
  private positions: number[] = [];

  /** @param most tokens that are ever held: W − 1 */
  constructor(
    private readonly memory: KernelMemory,
    private readonly format: CacheDtype,
    private readonly width: number,
    private readonly most: number,
  ) {}

  /** n */
  get length(): number {
    return this.positions.length;
  }

  /** Makes room for `tokens` in all. Throws UserError where memory is used up. */
  reserve(tokens: number): void {
    if (tokens <= this.capacity) return;
    const rowBytes = this.rowBytes();
    const buffer = this.memory.alloc(2 * tokens * rowBytes);
    for (const side of ['keys', 'values'] as const) {
      let to = buffer + SIDES[side] * tokens * rowBytes;
      for (const { start, count } of this.runs(side)) {
        this.memory.bytes(to, count * rowBytes).set(this.memory.bytes(start, count * rowBytes));
        to += count * rowBytes;
      }
    }
    if (this.buffer !== undefined) this.memory.free(this.buffer);
    this.buffer = buffer;
    this.capacity = tokens;
    this.first = 0;
  }

  /** Adds a token: the D numbers of each side that start at `from`. */
  push(position: number, keys: Float32Array, values: Float32Array, from: number): void {
    if (this.length === this.capacity) this.reserve(Math.min(this.most, this.length + ROOM));
    const slot = (this.first + this.length) % this.capacity;
    writeRow(this.memory, this.format, this.slot('keys', slot), this.width, keys, from);
    writeRow(this.memory, this.format, this.slot('values', slot), this.width, values, from);
    this.positions.push(position);
  }

  /** Lets go of tokens whose position is below `least`. */
  expire(least: number): void {
    let gone = 0;
    while (gone < this.positions.length && this.positions[gone]! < least) gone++;
    if (gone === 0) return;
    this.positions.splice(0, gone);
    this.first = (this.first + gone) % this.capacity;
  }

  /** The held rows of one side, oldest first; valid until the next change. */
  side(side: SideName): PackedSide {
    return this.runs(side).map(({ start, count }): Segment => ({
      rows: { kind: 'dense', format: this.format, count, width: this.width, entries: start },
    }));
  }

  /** Bytes of both sides, free rows included. */
  bytes(): number {
    return 2 * this.capacity * this.rowBytes();
  }

  free(): void {
    if (this.buffer !== undefined) this.memory.free(this.buffer);
    this.buffer = undefined;
    this.capacity = 0;
    this.positions = [];
  }

  /** Rows that lie one after the other. */
  private runs(side: SideName): { readonly start: Pointer; readonly count: number }[] {
    const before = Math.min(this.length, this.capacity - this.first);
    const runs = [
      { start: this.slot(side, this.first), count: before },
      { start: this.slot(side, 0), count: this.length - before },
    ];
    return runs.filter(({ count }) => count > 0);
  }

  private slot(side: SideName, index: number): Pointer {
    return (this.buffer ?? 0) + (SIDES[side] * this.capacity + index) * this.rowBytes();
  }

  private rowBytes(): number {
    return this.width * entryBytes(this.format);
  }
}

/** D numbers in the cache's format. */
export function writeRow(
  memory: KernelMemory,
  format: CacheDtype,
  address: Pointer,
  width: number,
  numbers: Float32Array,
  from: number,
): void {
  new EntryWriter(memory, format, address, width).write(bitsOf(numbers), from, width);
}
