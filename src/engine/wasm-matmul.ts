/**
 * Products of matrices on the wasm backend, with fused multiply-adds.
 *
 * The backend's own kernel has no fused instruction and keeps a second, packed copy of every weight.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { openMatMul, type MatMul } from '../kernels/matmul.js';
import type { WasmMemory } from '../kernels/webassembly.js';
import type { TfNamespace } from './types.js';

/** What this file reads of the backend and of the module that the compiler of its sources made. */
interface Backend extends Pick<BackendWasm, 'makeOutput' | 'typedArrayFromHeap'> {
  readonly wasm: {
    readonly asm: { readonly memory: WasmMemory };
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  };
}

/** Puts the kernel in the place of the backend's own; before the backend starts. */
export function replaceWasmMatMul(tf: TfNamespace): void {
  const theirs = tf.getKernel('BatchMatMul', 'wasm');
  let opened: { readonly multiply: MatMul | undefined } | undefined;
  const kernelFunc: Core.KernelFunc = (call) => {
    const backend = call.backend as Backend;
    opened ??= { multiply: openOn(backend.wasm) };
    const { a, b } = call.inputs as unknown as Readonly<Record<'a' | 'b', Core.TensorInfo>>;
    const { transposeA, transposeB } = call.attrs as unknown as Core.BatchMatMulAttrs;
    const plain = a.shape.length === 2 && b.shape.length === 2 && !transposeA && !transposeB;
    if (opened.multiply === undefined || !plain) return theirs.kernelFunc(call);
    const [m, k] = a.shape as [number, number];
    const n = b.shape[1]!;
    if (k !== b.shape[0]) throw new RangeError(`[${m}, ${k}] × [${String(b.shape)}]`);
    const out = backend.makeOutput([m, n], 'float32');
    // Only now: making the output may have moved the heap.
    const [atA, atB, atOut] = [a, b, out].map((x) => backend.typedArrayFromHeap(x).byteOffset);
    opened.multiply(atA!, atB!, { m, k, n }, atOut!);
    return out;
  };
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({ ...theirs, kernelFunc });
}

function openOn(wasm: Backend['wasm']): MatMul | undefined {
  return openMatMul({
    memory: wasm.asm.memory,
    alloc: (bytes) => wasm._malloc(bytes),
    free: (pointer) => {
      wasm._free(pointer);
    },
  });
}
