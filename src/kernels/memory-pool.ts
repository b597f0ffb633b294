/**
 * Memories for weights, as many as they need: one ends at 4 GiB.
 *
 * They are kept for the next model, as a memory that threads have seen goes only with the process.
 */
import type { KernelMemory } from './memory.js';
import { openKernels } from './index.js';

/** Left free in each memory: a layer's rows, tapes, scratch of the threads, matrices that are widened. */
const SPARE_BYTES = 640 * 2 ** 20;

export class MemoryPool {
  private readonly memories: KernelMemory[] = [];

  /** @param bytesOfOne the most that one memory is given */
  constructor(private readonly bytesOfOne = 2 ** 32) {}

  /** A memory with room for so many bytes more: the first that has, or a new one. */
  with(bytes: number): KernelMemory {
    const known = this.memories.find((memory) => memory.limit - memory.bytesInUse >= bytes + this.spare());
    if (known !== undefined) return known;
    const { memory } = openKernels({ maxBytes: this.bytesOfOne });
    this.memories.push(memory);
    return memory;
  }

  private spare(): number {
    return Math.min(SPARE_BYTES, this.bytesOfOne / 4);
  }
}
