/**
 * Cuts a part out of a tensor of the wasm backend, memory to memory.
 *
 * The backend's own kernel first copies the whole tensor to a JavaScript array, which is most of what the garbage
 * collector of a prefill has to clean up.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TfNamespace } from './types.js';

/** Entries that a loop copies sooner than a view of them is made. */
const SHORT_RUN = 64;

type Heap = Pick<BackendWasm, 'makeOutput' | 'typedArrayFromHeap'>;
type Numbers = ReturnType<Heap['typedArrayFromHeap']>;

/** Puts the kernel in the place of the backend's own. Strings are not for it. */
export function replaceWasmSlice(tf: TfNamespace): void {
  const { parseSliceParams } = tf.slice_util;
  const kernel: Core.KernelFunc = ({ inputs, attrs, backend }) => {
    const wasm = backend as Heap;
    const x = inputs['x']!;
    const { begin, size } = attrs as unknown as Core.SliceAttrs;
    const [from, shape] = parseSliceParams(x, begin, size) as [number[], number[]];
    const out = wasm.makeOutput(shape, x.dtype);
    // Only now: making the output may have moved the heap.
    copyPart(wasm.typedArrayFromHeap(x), x.shape, wasm.typedArrayFromHeap(out), from, shape);
    return out;
  };
  tf.unregisterKernel('Slice', 'wasm');
  tf.registerKernel({ kernelName: 'Slice', backendName: 'wasm', kernelFunc: kernel });
}

/**
 * Copies the box that starts at `from`, of `size`, out of `x`; both row-major.
 *
 * @param shape of `x`, of any rank
 * @param out as long as the box has entries
 */
export function copyPart(
  x: Numbers,
  shape: readonly number[],
  out: Numbers,
  from: readonly number[],
  size: readonly number[],
): void {
  if (out.length === 0) return;
  // Trailing axes that are taken whole make one run of memory with the axis before them.
  let axis = Math.max(0, shape.length - 1);
  while (axis > 0 && size[axis] === shape[axis]) axis--;
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, n) => product * n, 1));
  const run = (size[axis] ?? 1) * (strides[axis] ?? 1);
  const start = from.reduce((sum, index, i) => sum + index * strides[i]!, 0);
  for (let at = 0; at < out.length; at += run) {
    let rest = at / run;
    let offset = start;
    for (let i = axis - 1; i >= 0; i--) {
      offset += (rest % size[i]!) * strides[i]!;
      rest = Math.floor(rest / size[i]!);
    }
    if (run > SHORT_RUN) out.set(x.subarray(offset, offset + run), at);
    else for (let i = 0; i < run; i++) out[at + i] = x[offset + i]!;
  }
}
