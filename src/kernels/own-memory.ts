/**
 * Kernels on a small memory of their own, for what comes before anything is cached.
 *
 * Decides nothing of what is there.
 */
import { instantiateKernels, type KernelExports } from './module.js';
import { Memory, PAGE_BYTES } from './webassembly.js';

/** What the kernels themselves take, and what is read past the end. */
const KERNEL_PAGES = 4;
const ALIGNMENT = 16;

export interface OwnMemory {
  readonly code: KernelExports;
  readonly buffer: ArrayBuffer;
  /** The first free byte, a multiple of 16. */
  readonly base: number;
}

/** @param bytes from `base` on. Throws UserError where the kernels are not built. */
export function openOwnMemory(bytes: number): OwnMemory {
  const pages = KERNEL_PAGES + Math.ceil(bytes / PAGE_BYTES);
  const memory = new Memory({ initial: pages, maximum: pages });
  const code = instantiateKernels(memory);
  return { code, buffer: memory.buffer, base: Math.ceil(code.heapBase() / ALIGNMENT) * ALIGNMENT };
}
