/**
 * The buffers of one packed side, each entered under what it holds.
 *
 * Byte counts are sums over these buffers, so nothing can be stored uncounted.
 */
import { entryBytes } from '../kernels/entries.js';
import type { KernelMemory, Pointer } from '../kernels/memory.js';
import type { ByteParts, CacheDtype } from './types.js';
import { NO_BYTES } from './bytes.js';
import type { TableName } from '../kernels/shared-tables.js';

export class PackedBuffers {
  private readonly pieces = new Map<Pointer, { readonly part: keyof ByteParts; readonly bytes: number }>();
  private readonly borrowed: (readonly [source: Float32Array, name: TableName])[] = [];
  private users = 1;
  private readonly parts: { -readonly [Part in keyof ByteParts]: number } = { ...NO_BYTES };

  constructor(
    readonly memory: KernelMemory,
    readonly format: CacheDtype,
  ) {}

  /** A buffer of `bytes` bytes; none, and pointer 0, where that is 0. Detaches views of the memory. */
  alloc(part: keyof ByteParts, bytes: number): Pointer {
    if (bytes === 0) return 0;
    const pointer = this.memory.alloc(bytes);
    this.pieces.set(pointer, { part, bytes });
    this.parts[part] += bytes;
    return pointer;
  }

  /** A buffer of `count` entries of the cache's format. */
  allocEntries(part: keyof ByteParts, count: number): Pointer {
    return this.alloc(part, count * entryBytes(this.format));
  }

  /** Gives one buffer back. */
  release(pointer: Pointer): void {
    if (pointer === 0) return;
    const { part, bytes } = this.pieces.get(pointer)!;
    this.memory.free(pointer);
    this.pieces.delete(pointer);
    this.parts[part] -= bytes;
  }

  /** A table that belongs to the model (`SharedTables`): not counted, given back with the buffers. */
  borrow(source: Float32Array, name: TableName, fill: (table: Float32Array) => void): Pointer {
    const pointer = this.memory.tables.borrow(source, name, fill);
    this.borrowed.push([source, name]);
    return pointer;
  }

  bytes(): ByteParts {
    return { ...this.parts };
  }

  /** Adds a user; each must free. Throws Error once all have. */
  share(): this {
    if (this.users === 0) throw new Error('buffers were shared after they were freed');
    this.users++;
    return this;
  }

  free(): void {
    if (--this.users > 0) return;
    for (const pointer of this.pieces.keys()) this.memory.free(pointer);
    this.pieces.clear();
    for (const [source, name] of this.borrowed) this.memory.tables.giveBack(source, name);
    this.borrowed.length = 0;
  }
}
