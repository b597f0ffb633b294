/**
 * Products of matrices on TensorFlow, by its operation for two matrices.
 *
 * The backend sends every product to the batched operation, which takes a tenth longer, and a fifth at the few rows of a
 * decode step.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { TfNamespace } from '../types.js';

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number;
}

/** What this file reads of the backend. */
interface Backend {
  readonly binding: Readonly<Record<'TF_ATTR_TYPE' | 'TF_ATTR_BOOL' | 'TF_FLOAT', number>>;
  executeSingleOutput(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Core.TensorInfo[],
  ): Core.TensorInfo;
}

/** Puts the operation in the place of the one for batches. */
export function replaceNativeMatMul(tf: TfNamespace): void {
  const theirs = tf.getKernel('BatchMatMul', 'tensorflow');
  const kernelFunc: Core.KernelFunc = (call) => {
    const { a, b } = call.inputs as unknown as Readonly<Record<'a' | 'b', Core.TensorInfo>>;
    if (a.shape.length !== 2 || b.shape.length !== 2 || a.dtype !== 'float32') return theirs.kernelFunc(call);
    const { transposeA, transposeB } = call.attrs as unknown as Core.BatchMatMulAttrs;
    const backend = call.backend as Backend;
    const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_FLOAT } = backend.binding;
    return backend.executeSingleOutput(
      'MatMul',
      [
        { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
        { name: 'transpose_a', type: TF_ATTR_BOOL, value: transposeA },
        { name: 'transpose_b', type: TF_ATTR_BOOL, value: transposeB },
      ],
      [a, b],
    );
  };
  tf.unregisterKernel('BatchMatMul', 'tensorflow');
  tf.registerKernel({ ...theirs, kernelFunc });
}
