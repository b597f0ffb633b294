/**
 * Who does the kernel calls of attention: this thread at once, or the threads of a crew when all is written down.
 *
 * Caches say what is to be computed, in items that do not depend on one another; when and by whom is not theirs to know.
 */
import type { Crew } from '../kernels/crew.js';
import type { Kernels, KernelMemory, Pointer } from '../kernels/index.js';

/** Where tokens' queries are and their outputs go; strides in bytes, from one token to the next. */
export interface AttentionPlace {
  /** `[T, H·D]` */
  readonly queries: Pointer;
  readonly queryStride: number;
  /** `[T, H·D]` */
  readonly out: Pointer;
  readonly outStride: number;
}

export interface AttentionWork {
  /** Calls go into the item that was begun last. */
  readonly kernels: Kernels;
  /** Scratch for the items to come; the same for all of them. May do what was begun. */
  scratch(bytes: number): Pointer;
  /** Begins an item of at most so many calls. */
  item(calls: number): void;
}

/** Work that is done as it comes. */
export class WorkNow implements AttentionWork {
  private held: { readonly pointer: Pointer; readonly bytes: number } | undefined;

  constructor(readonly kernels: Kernels) {}

  scratch(bytes: number): Pointer {
    if (this.held === undefined || this.held.bytes < bytes) {
      this.free();
      this.held = { pointer: this.kernels.memory.alloc(bytes), bytes };
    }
    return this.held.pointer;
  }

  item(): void {
    return;
  }

  free(): void {
    if (this.held !== undefined) this.kernels.memory.free(this.held.pointer);
    this.held = undefined;
  }
}

/** Work that is written down for the crew, which does it when it is told to. */
export function workOf(crew: Crew, memory: KernelMemory): AttentionWork {
  return {
    kernels: crew.recorder(memory),
    scratch: (bytes) => crew.scratch(memory, bytes),
    item: (calls) => {
      crew.item(memory, calls);
    },
  };
}

/** What attends in turns. */
interface Attending {
  turns(tokens: number): number;
  attendTurn(turn: number, tokens: number, place: AttentionPlace, work: AttentionWork): void;
  settleTurn(turn: number, tokens: number): void;
}

/**
 * All turns at once, with numbers of the JavaScript heap.
 *
 * @param queries `[T, H, D]`
 * @param out `[T, H, D]`, overwritten
 */
export function attendNow(
  cache: Attending,
  kernels: Kernels,
  queries: Float32Array,
  tokens: number,
  out: Float32Array,
): void {
  const turns = cache.turns(tokens);
  const work = new WorkNow(kernels);
  const bytes = 4 * queries.length;
  const pointer = kernels.memory.alloc(2 * bytes);
  const stride = bytes / tokens;
  const place = { queries: pointer, queryStride: stride, out: pointer + bytes, outStride: stride };
  try {
    kernels.memory.floats(pointer, queries.length).set(queries);
    for (let turn = 0; turn < turns; turn++) {
      cache.attendTurn(turn, tokens, place, work);
      cache.settleTurn(turn, tokens);
    }
    out.set(kernels.memory.floats(place.out, out.length));
  } finally {
    work.free();
    kernels.memory.free(pointer);
  }
}
