/**
 * The dense tail of one side of a layer: tokens that came after the prompt.
 *
 * It grows chunk by chunk, so that nothing is ever copied.
 * Alphabet: T new tokens, KV, D.
 */
import { bitsOf, entryBytes, EntryWriter } from '../../kernels/entries.js';
import type { KernelMemory, Pointer } from '../../kernels/memory.js';
import type { PackedSide } from './segment.js';
import type { CacheDtype } from '../types.js';

/** Tokens per chunk. */
export const CHUNK_TOKENS = 32;

/** One side of the tokens after the prompt, all KV heads. */
export interface SideTail {
  /** Tokens appended. */
  readonly length: number;
  /** Whether `settle` changes what is read. */
  readonly settles: boolean;
  /** `rows`: `[T, KV, D]`. */
  append(rows: Float32Array, tokens: number): void;
  /** One KV head: the first `tokens` appended ones, after what the tail holds of the prompt. */
  side(head: number, tokens: number): PackedSide;
  /** The first `tokens` appended ones have attended. */
  settle(tokens: number): void;
  /** Bytes of what holds tokens after the prompt, room for tokens to come included. */
  bytes(): number;
  free(): void;
}

export class Tail implements SideTail {
  readonly settles = false;
  /** Each `[KV, CHUNK_TOKENS, D]`. */
  private readonly chunks: Pointer[] = [];
  private tokens = 0;

  constructor(
    private readonly memory: KernelMemory,
    private readonly format: CacheDtype,
    private readonly kvHeads: number,
    private readonly width: number,
  ) {}

  get length(): number {
    return this.tokens;
  }

  append(rows: Float32Array, tokens: number): void {
    while (this.chunks.length * CHUNK_TOKENS < this.tokens + tokens) {
      this.chunks.push(this.memory.alloc(this.chunkBytes()));
    }
    const bits = bitsOf(rows);
    for (let t = 0; t < tokens; t++) {
      for (let head = 0; head < this.kvHeads; head++) {
        this.writeRow(head, this.tokens + t, bits, (t * this.kvHeads + head) * this.width);
      }
    }
    this.tokens += tokens;
  }

  side(head: number, tokens: number): PackedSide {
    const side = [];
    for (let first = 0; first < tokens; first += CHUNK_TOKENS) {
      const count = Math.min(CHUNK_TOKENS, tokens - first);
      const entries = this.rowAddress(head, first);
      side.push({
        rows: { kind: 'dense' as const, format: this.format, count, width: this.width, entries },
      });
    }
    return side;
  }

  /** Nothing changes: tokens stay as they came. */
  settle(): void {
    return;
  }

  bytes(): number {
    return this.chunks.length * this.chunkBytes();
  }

  free(): void {
    for (const chunk of this.chunks) this.memory.free(chunk);
    this.chunks.length = 0;
    this.tokens = 0;
  }

  private writeRow(head: number, token: number, source: Uint32Array, from: number): void {
    const address = this.rowAddress(head, token);
    new EntryWriter(this.memory, this.format, address, this.width).write(source, from, this.width);
  }

  private rowAddress(head: number, token: number): Pointer {
    const rowsBefore = head * CHUNK_TOKENS + (token % CHUNK_TOKENS);
    return this.chunks[Math.floor(token / CHUNK_TOKENS)]! + rowsBefore * this.width * entryBytes(this.format);
  }

  private chunkBytes(): number {
    return this.kvHeads * CHUNK_TOKENS * this.width * entryBytes(this.format);
  }
}
