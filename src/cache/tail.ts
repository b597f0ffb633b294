/**
 * The dense tail of one layer: tokens that came after the prompt.
 *
 * Decides how it grows: chunk by chunk, so that nothing is ever copied. Alphabet: T new tokens, KV, D.
 */
import { bitsOf, entryBytes, EntryWriter } from '../kernels/entries.js';
import type { KernelMemory, Pointer } from '../kernels/memory.js';
import type { PackedSide } from './segment.js';
import type { CacheDtype } from './types.js';

/** Tokens per chunk. */
export const CHUNK_TOKENS = 32;

const SIDES = { keys: 0, values: 1 } as const;

export class Tail {
  /** Each `[2, KV, CHUNK_TOKENS, D]`: keys, then values. */
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

  /** `keys`, `values`: `[T, KV, D]`. */
  append(keys: Float32Array, values: Float32Array, tokens: number): void {
    while (this.chunks.length * CHUNK_TOKENS < this.tokens + tokens) {
      this.chunks.push(this.memory.alloc(this.chunkBytes()));
    }
    for (let t = 0; t < tokens; t++) {
      for (let head = 0; head < this.kvHeads; head++) {
        const from = (t * this.kvHeads + head) * this.width;
        this.writeRow('keys', head, this.tokens + t, bitsOf(keys), from);
        this.writeRow('values', head, this.tokens + t, bitsOf(values), from);
      }
    }
    this.tokens += tokens;
  }

  /** One side of one KV head. */
  side(side: keyof typeof SIDES, head: number): PackedSide {
    return this.chunks.map((_, c) => ({
      rows: {
        kind: 'dense',
        format: this.format,
        count: Math.min(CHUNK_TOKENS, this.tokens - c * CHUNK_TOKENS),
        width: this.width,
        entries: this.rowAddress(side, head, c * CHUNK_TOKENS),
      },
    }));
  }

  /** Bytes of the chunks, room for tokens to come included. */
  bytes(): number {
    return this.chunks.length * this.chunkBytes();
  }

  free(): void {
    for (const chunk of this.chunks) this.memory.free(chunk);
    this.chunks.length = 0;
    this.tokens = 0;
  }

  private writeRow(
    side: keyof typeof SIDES,
    head: number,
    token: number,
    source: Uint32Array,
    from: number,
  ): void {
    const address = this.rowAddress(side, head, token);
    new EntryWriter(this.memory, this.format, address, this.width).write(source, from, this.width);
  }

  private rowAddress(side: keyof typeof SIDES, head: number, token: number): Pointer {
    const rowsBefore = (SIDES[side] * this.kvHeads + head) * CHUNK_TOKENS + (token % CHUNK_TOKENS);
    return this.chunks[Math.floor(token / CHUNK_TOKENS)]! + rowsBefore * this.width * entryBytes(this.format);
  }

  private chunkBytes(): number {
    return 2 * this.kvHeads * CHUNK_TOKENS * this.width * entryBytes(this.format);
  }
}
