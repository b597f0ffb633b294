/**
 * A run of tokens on one side of one KV head: the older ones quantised, the newer ones waiting in the cache's format.
 *
 * Rows wait in chunks that are given back once all their rows are codes. A block with tokens of prompt and answer counts
 * as the prompt's.
 * Alphabet: m rows, D width.
 */
import { entryBytes, EntryWriter } from '../../kernels/entries.js';
import type { Kernels, Pointer } from '../../kernels/index.js';
import { readEntries } from '../decode.js';
import type { Columns } from '../encode/channels.js';
import type { PackedBuffers } from '../packed-buffers.js';
import { QuantisedRows } from './quantised-rows.js';
import type { HeadSource, PackedSide } from './segment.js';
import { CHUNK_TOKENS } from './tail.js';
import type { Precision } from '../types.js';

export interface RunStorage {
  readonly kernels: Kernels;
  readonly precision: Precision;
  /** What holds tokens of the prompt. */
  readonly prompt: PackedBuffers;
  /** What holds decoded tokens only. */
  readonly decoded: PackedBuffers;
}

/** Which channels rows hold; where nothing is given, all D. */
export interface RunForm {
  readonly waiting?: Columns | undefined;
  readonly settled?: Columns | undefined;
  /** `[D]`, 1 = kept: what rows lose when they are quantised. */
  readonly narrowing?: Uint8Array | undefined;
}

/** Waiting rows `[capacity, D]`; those from `first` up to `end` are there. */
interface Chunk {
  readonly buffers: PackedBuffers;
  readonly entries: Pointer;
  readonly capacity: number;
  first: number;
  end: number;
}

export class QuantisedRun {
  private readonly settled: QuantisedRows[] = [];
  private readonly chunks: Chunk[] = [];
  private readonly width: number;
  /** Tokens of the prompt that are not quantised. */
  private promptTokens: number;

  /** @param count tokens of `source`, the prompt's part of the run, that are quantised at once */
  constructor(
    private readonly storage: RunStorage,
    private readonly form: RunForm,
    { bits, tokens, width }: HeadSource,
    count: number,
  ) {
    this.width = width;
    this.promptTokens = tokens.length;
    const older = new Uint32Array(count * width);
    tokens.subarray(0, count).forEach((position, t) => {
      older.set(bits.subarray(position * width, (position + 1) * width), t * width);
    });
    if (count > 0) this.quantise(new Float32Array(older.buffer), count, count);
    tokens.subarray(count).forEach((position, t) => {
      this.write(bits, position * width, storage.prompt, this.promptTokens - t);
    });
  }

  /** Tokens that are not quantised. */
  get waiting(): number {
    return this.chunks.reduce((total, { first, end }) => total + end - first, 0);
  }

  /** A decoded token, `[D]` float32 numbers as bits. */
  push(bits: Uint32Array, from: number): void {
    this.write(bits, from, this.storage.decoded, CHUNK_TOKENS);
  }

  /** Quantises the oldest m waiting tokens; along channels, m is a multiple of the group. */
  settle(m: number): void {
    if (m > 0) this.quantise(this.take(m), m, CHUNK_TOKENS);
  }

  /** All tokens but the newest `hidden`, which are waiting ones. */
  side(hidden: number): PackedSide {
    const { settled, waiting } = this.form;
    const older = this.settled.map((rows) => ({ rows, ...settled }));
    let left = this.waiting - hidden;
    const newer = this.chunks.flatMap(({ entries, first, end }) => {
      const count = Math.min(left, end - first);
      left -= count;
      return count === 0 ? [] : [{ rows: this.denseRows(entries, first, count), ...waiting }];
    });
    return [...older, ...newer];
  }

  private denseRows(entries: Pointer, first: number, count: number): PackedSide[number]['rows'] {
    const { format } = this.storage.prompt;
    const address = entries + first * this.width * entryBytes(format);
    return { kind: 'dense', format, count, width: this.width, entries: address };
  }

  /** Puts one row behind the last; a chunk that must be made for it has room for `expected` rows, up to a limit. */
  private write(bits: Uint32Array, from: number, buffers: PackedBuffers, expected: number): void {
    let chunk = this.chunks.at(-1);
    if (chunk === undefined || chunk.end === chunk.capacity) {
      const capacity = Math.min(expected, CHUNK_TOKENS);
      const entries = buffers.allocEntries('value', capacity * this.width);
      chunk = { buffers, entries, capacity, first: 0, end: 0 };
      this.chunks.push(chunk);
    }
    const { memory, format } = buffers;
    const address = chunk.entries + chunk.end * this.width * entryBytes(format);
    new EntryWriter(memory, format, address, this.width).write(bits, from, this.width);
    chunk.end++;
  }

  /** Takes the oldest m waiting rows away, `[m, D]`. */
  private take(m: number): Float32Array {
    const { memory } = this.storage.kernels;
    const rows = new Float32Array(m * this.width);
    for (let taken = 0; taken < m;) {
      const chunk = this.chunks[0]!;
      const count = Math.min(m - taken, chunk.end - chunk.first);
      const address = chunk.entries + chunk.first * this.width * entryBytes(chunk.buffers.format);
      rows.set(readEntries(memory, chunk.buffers.format, address, count * this.width), taken * this.width);
      taken += count;
      chunk.first += count;
      if (chunk.first < chunk.capacity) continue;
      chunk.buffers.release(chunk.entries);
      this.chunks.shift();
    }
    return rows;
  }

  /** Quantises rows `[m, D]`; rows that come one by one share a buffer for up to `room` of them. */
  private quantise(rows: Float32Array, m: number, room: number): void {
    const { kernels, precision, prompt, decoded } = this.storage;
    const { narrowing } = this.form;
    const kept = narrowing === undefined ? rows : narrow(rows, narrowing);
    let packed = this.settled.at(-1);
    if (packed === undefined || packed.count + m > packed.capacity) {
      const buffers = this.promptTokens > 0 ? prompt : decoded;
      const share = this.promptTokens > 0 ? Math.min(room, this.promptTokens) : room;
      const capacity = precision.settle === 'blocks' ? m : Math.max(m, share);
      packed = new QuantisedRows(kernels, buffers, precision, kept.length / m, capacity);
      this.settled.push(packed);
    }
    packed.append(kept, m);
    this.promptTokens = Math.max(0, this.promptTokens - m);
  }
}

/** `[m, D]` → `[m, T]`: the entries where the mask `[D]` is 1. */
export function narrow(rows: Float32Array, mask: Uint8Array): Float32Array {
  return rows.filter((_, i) => mask[i % mask.length] === 1);
}
