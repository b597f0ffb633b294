/**
 * The kernels' memory: where packed caches and the scratch of attention live, outside the JavaScript heap.
 *
 * Packed caches live outside the JavaScript heap, where they are freed at once and can be bounded.
 */
import { UserError } from '../base/errors.js';
import { Allocator, ALIGNMENT } from './allocator.js';
import type { KernelExports } from './module.js';
import { PAGE_BYTES, type WasmMemory } from './webassembly.js';
import { SharedTables } from './shared-tables.js';

/** An address in the kernels' memory, in bytes. */
export type Pointer = number;

/** Kernels read a few bytes past a buffer's end; the last buffer needs room for that. */
const GUARD_BYTES = 32;
/** The largest memory that WebAssembly's 32-bit addresses reach. */
export const MAX_PAGES = 65_536;

/** Growing moves to a multiple of this, so that it stays rare. */
const STEP_PAGES = 64;

/** Thrown where no more fits; nothing was allocated. */
export class OutOfCacheMemory extends UserError {}

export class KernelMemory {
  /** What several caches read. */
  readonly tables = new SharedTables(this);
  private uncountedBytes = 0;
  private readonly allocator: Allocator;
  /** Sizes of what is not counted, by address. */
  private readonly uncounted = new Map<Pointer, number>();

  /**
   * @param maxPages the budget, in pages of 64 KiB
   */
  constructor(
    readonly memory: WasmMemory,
    /** The kernels on this memory, those of the main thread. */
    readonly code: KernelExports,
    private readonly maxPages: number,
  ) {
    this.allocator = new Allocator(Math.ceil(code.heapBase() / ALIGNMENT) * ALIGNMENT);
    this.allocator.extend(this.memory.buffer.byteLength - GUARD_BYTES);
  }

  /** Bytes allocated now, each allocation rounded up to 16. */
  get bytesInUse(): number {
    return this.allocator.bytesInUse - this.uncountedBytes;
  }

  /** Bytes that the memory may grow to. */
  get limit(): number {
    return this.maxPages * PAGE_BYTES;
  }

  /** Bytes of the whole memory. It grows and never shrinks; freed buffers are used again. */
  get byteLength(): number {
    return this.memory.buffer.byteLength;
  }

  /**
   * A buffer of `bytes` bytes, 16-byte aligned, contents undefined. May grow the memory; views made before
   * stay valid. Throws OutOfCacheMemory where the budget or the machine does not allow it.
   */
  alloc(bytes: number): Pointer {
    const pointer = this.allocator.alloc(bytes);
    if (pointer !== undefined) return pointer;
    this.grow(this.allocator.shortfall(bytes), bytes);
    return this.allocator.alloc(bytes)!;
  }

  /**
   * The same for what computing itself needs, whatever is cached: tapes, scratch, activations. It counts neither as bytes
   * in use nor against the budget.
   */
  allocUncounted(bytes: number): Pointer {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    this.uncountedBytes += size;
    try {
      const pointer = this.alloc(bytes);
      this.uncounted.set(pointer, size);
      return pointer;
    } catch (error) {
      this.uncountedBytes -= size;
      throw error;
    }
  }

  /** Gives a buffer back. Throws on an address that is not allocated. */
  free(pointer: Pointer): void {
    this.allocator.free(pointer);
    this.uncountedBytes -= this.uncounted.get(pointer) ?? 0;
    this.uncounted.delete(pointer);
  }

  /** `count` bytes at `pointer`. Views are valid until the next `alloc`. */
  bytes(pointer: Pointer, count: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, pointer, count);
  }

  /** `count` 16-bit words at `pointer`. */
  halves(pointer: Pointer, count: number): Uint16Array {
    return new Uint16Array(this.memory.buffer, pointer, count);
  }

  /** `count` 32-bit words at `pointer`. */
  words(pointer: Pointer, count: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, pointer, count);
  }

  /** `count` signed 32-bit words at `pointer`. */
  integers(pointer: Pointer, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, pointer, count);
  }

  /** `count` float32 numbers at `pointer`. */
  floats(pointer: Pointer, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, count);
  }

  private grow(shortfall: number, bytes: number): void {
    const pages = this.byteLength / PAGE_BYTES;
    const needed = pages + Math.ceil(shortfall / PAGE_BYTES);
    const most = Math.min(MAX_PAGES, this.maxPages + Math.ceil(this.uncountedBytes / PAGE_BYTES));
    if (needed > most) throw this.outOfMemory(bytes, undefined);
    const target = Math.min(most, Math.ceil(needed / STEP_PAGES) * STEP_PAGES);
    try {
      this.memory.grow(target - pages);
    } catch (cause) {
      throw this.outOfMemory(bytes, cause);
    }
    this.allocator.extend(this.byteLength - GUARD_BYTES);
  }

  private outOfMemory(bytes: number, cause: unknown): OutOfCacheMemory {
    const found = `${mib(this.bytesInUse)} in use, ${mib(bytes)} more asked for`;
    const limit =
      cause === undefined
        ? `the cache memory is limited to ${mib(this.maxPages * PAGE_BYTES)}`
        : `the machine refused to grow the cache memory beyond ${mib(this.byteLength)}`;
    return new OutOfCacheMemory(`out of cache memory: ${limit}; ${found}`, {
      hint: 'A shorter context, or a pipeline that keeps less of it, would fit.',
      cause,
    });
  }
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
