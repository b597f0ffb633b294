/**
 * The buffers of one packed prompt, each entered under what it holds.
 *
 * Decides what is counted: the exact size of every buffer that exists. Knows no layout.
 */
import { entryBytes } from '../kernels/entries.js';
import type { KernelMemory, Pointer } from '../kernels/memory.js';
import type { ByteParts, CacheDtype } from './types.js';
import { NO_BYTES } from './bytes.js';

export class PackedBuffers {
  private readonly pointers: Pointer[] = [];
  private readonly parts: { -readonly [Part in keyof ByteParts]: number } = { ...NO_BYTES };

  constructor(
    readonly memory: KernelMemory,
    readonly format: CacheDtype,
  ) {}

  /** A buffer of `bytes` bytes; none, and pointer 0, where that is 0. Detaches views of the memory. */
  alloc(part: keyof ByteParts, bytes: number): Pointer {
    if (bytes === 0) return 0;
    const pointer = this.memory.alloc(bytes);
    this.pointers.push(pointer);
    this.parts[part] += bytes;
    return pointer;
  }

  /** A buffer of `count` entries of the cache's format. */
  allocEntries(part: keyof ByteParts, count: number): Pointer {
    return this.alloc(part, count * entryBytes(this.format));
  }

  bytes(): ByteParts {
    return { ...this.parts };
  }

  free(): void {
    for (const pointer of this.pointers) this.memory.free(pointer);
    this.pointers.length = 0;
  }
}
