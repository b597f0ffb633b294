/**
 * Products of float32 matrices that lie in somebody else's WebAssembly memory.
 *
 * Many rows pay for packing the columns first; both ways give the same bits.
 */
import { instantiateMatMul } from './module.js';
import type { Pointer } from './memory.js';
import type { WasmMemory } from './webassembly.js';

/** Fewer rows are faster without packing. */
const MANY_ROWS = 32;

/** Scratch in that memory; `alloc` gives 0 where there is no room. */
export interface Heap {
  readonly memory: WasmMemory;
  alloc(bytes: number): Pointer;
  free(pointer: Pointer): void;
}

/** `out [M, N] = a [M, K] · b [K, N]`, row-major float32; sums in ascending k, each product added with one rounding. */
export type MatMul = (
  a: Pointer,
  b: Pointer,
  shape: { readonly m: number; readonly k: number; readonly n: number },
  out: Pointer,
) => void;

/** Undefined where this process's kernels do not fuse multiply-adds: then nothing is gained. */
export function openMatMul(heap: Heap): MatMul | undefined {
  const code = instantiateMatMul(heap.memory);
  if (code === undefined) return undefined;
  return (a, b, { m, k, n }, out) => {
    const panels = m < MANY_ROWS ? 0 : heap.alloc(code.panelBytes(k, n));
    if (panels === 0) {
      code.multiplyFew(a, b, m, k, n, out);
      return;
    }
    code.multiplyMany(a, b, m, k, n, out, panels);
    heap.free(panels);
  };
}
