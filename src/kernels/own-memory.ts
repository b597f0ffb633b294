/**
 * Kernels on a small memory of their own, for what comes before anything is cached.
 *
 * What comes before anything is cached should not depend on the room of the caches.
 */
import { ALIGNMENT } from './allocator.js';
import { KERNEL_PAGES } from './form.js';
import { instantiateKernels, type KernelExports } from './module.js';
import { Memory, PAGE_BYTES } from './webassembly.js';

export interface OwnMemory {
  readonly code: KernelExports;
  readonly buffer: ArrayBufferLike;
  /** The first free byte, a multiple of `ALIGNMENT`. */
  readonly base: number;
}

/** @param bytes from `base` on. Throws UserError where the kernels are not built. */
export function openOwnMemory(bytes: number): OwnMemory {
  const pages = KERNEL_PAGES + Math.ceil(bytes / PAGE_BYTES);
  const memory = new Memory({ initial: pages, maximum: pages, shared: true });
  const code = instantiateKernels(memory);
  return { code, buffer: memory.buffer, base: Math.ceil(code.heapBase() / ALIGNMENT) * ALIGNMENT };
}
