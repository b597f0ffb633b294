/**
 * The keys and values of one KV head whose tokens come and go.
 *
 * Room follows what is stored, never far beyond the budget, so that the bytes that are counted are those that exist.
 * Alphabet: n stored tokens, D width.
 */
import { bitsOf, entryBytes, EntryWriter } from '../kernels/entries.js';
import type { DenseRows } from '../kernels/rows.js';
import type { KernelMemory, Pointer } from '../kernels/memory.js';
import type { CacheDtype } from './types.js';

/** Rows by which the store grows towards the budget. */
const ROOM = 32;

const SIDES = { keys: 0, values: 1 } as const;

export type SideName = keyof typeof SIDES;

export class LiveStore {
  /** `[2, capacity, D]`: keys, then values. */
  private buffer: Pointer | undefined;
  private capacity = 0;
  private count = 0;

  /** @param budget tokens that stay after an eviction, at most */
  constructor(
    private readonly memory: KernelMemory,
    private readonly format: CacheDtype,
    private readonly width: number,
    private readonly budget: number,
  ) {}

  /** n */
  get length(): number {
    return this.count;
  }

  /** Makes room for `tokens ≥ n` tokens, and gives back what they do not need. Throws UserError where memory is used up. */
  fit(tokens: number): void {
    const capacity =
      tokens > this.budget ? tokens : Math.min(this.budget + 1, ROOM * Math.ceil((tokens + 1) / ROOM));
    if (capacity === this.capacity) return;
    const buffer = this.memory.alloc(2 * capacity * this.rowBytes());
    for (const side of ['keys', 'values'] as const) {
      const start = buffer + SIDES[side] * capacity * this.rowBytes();
      this.memory.bytes(start, this.count * this.rowBytes()).set(this.stored(side));
    }
    this.release();
    this.buffer = buffer;
    this.capacity = capacity;
  }

  /** Adds a token, for which `fit` has made room: the D numbers of each side that start at `from`. */
  push(keys: Float32Array, values: Float32Array, from: number): void {
    const write = (side: SideName, numbers: Float32Array): void => {
      const address = this.start(side) + this.count * this.rowBytes();
      const writer = new EntryWriter(this.memory, this.format, address, this.width);
      writer.write(bitsOf(numbers), from, this.width);
    };
    write('keys', keys);
    write('values', values);
    this.count++;
  }

  /** Takes tokens out, ascending indices, and closes the gaps. The room stays until the next `fit`. */
  remove(indices: readonly number[]): void {
    const row = this.rowBytes();
    for (const side of ['keys', 'values'] as const) {
      const rows = this.stored(side);
      indices.forEach((index, i) => {
        const end = indices[i + 1] ?? this.count;
        rows.copyWithin((index - i) * row, (index + 1) * row, end * row);
      });
    }
    this.count -= indices.length;
  }

  /** The oldest `count` rows of one side, `[count, D]`; valid until the next `fit` or `remove`. */
  rows(side: SideName, count: number): DenseRows {
    return { kind: 'dense', format: this.format, count, width: this.width, entries: this.start(side) };
  }

  /** Bytes of both sides, free rows included. */
  bytes(): number {
    return 2 * this.capacity * this.rowBytes();
  }

  free(): void {
    this.release();
    this.buffer = undefined;
    this.capacity = 0;
    this.count = 0;
  }

  private stored(side: SideName): Uint8Array {
    return this.memory.bytes(this.start(side), this.count * this.rowBytes());
  }

  private start(side: SideName): Pointer {
    return (this.buffer ?? 0) + SIDES[side] * this.capacity * this.rowBytes();
  }

  private release(): void {
    if (this.buffer !== undefined) this.memory.free(this.buffer);
  }

  private rowBytes(): number {
    return this.width * entryBytes(this.format);
  }
}
