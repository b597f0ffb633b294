/**
 * Buffers in a memory of the kernels that a decode step works in.
 *
 * Rows are padded to whole eights, which stay zero: products read them. Buffers grow with the step and are used again by the next.
 */
import type { KernelMemory } from '../kernels/memory.js';
import type { Rows } from '../kernels/step.js';

export class Workspace {
  private readonly buffers = new Map<string, Rows & { readonly bytes: number }>();

  constructor(readonly memory: KernelMemory) {}

  /** `count` rows of `width` float32 numbers; what was in them stays where the buffer was large enough. */
  rows(name: string, count: number, width: number): Rows {
    const stride = 32 * Math.ceil(width / 8);
    const bytes = stride * count;
    const known = this.buffers.get(name);
    if (known?.stride === stride && known.bytes >= bytes) return known;
    if (known !== undefined) this.memory.free(known.at);
    this.buffers.delete(name);
    const made = { at: this.memory.allocUncounted(bytes + 16), stride, bytes };
    this.memory.floats(made.at, bytes / 4).fill(0);
    this.buffers.set(name, made);
    return made;
  }

  free(): void {
    for (const { at } of this.buffers.values()) this.memory.free(at);
    this.buffers.clear();
  }
}

/** The rows from the n-th on. */
export function rowsFrom({ at, stride }: Rows, n: number): Rows {
  return { at: at + n * stride, stride };
}

/** Copies rows of `width` numbers from one memory to another. */
export function copyRows(
  from: Rows & { readonly memory: KernelMemory },
  to: Rows & { readonly memory: KernelMemory },
  count: number,
  width: number,
): void {
  for (let r = 0; r < count; r++) {
    to.memory.floats(to.at + r * to.stride, width).set(from.memory.floats(from.at + r * from.stride, width));
  }
}
