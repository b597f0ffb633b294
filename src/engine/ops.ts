/**
 * The op vocabulary over one TensorFlow.js namespace.
 *
 * All engines compute the same, and no wrong or slow kernel of a backend can be reached.
 */
import { gradients } from './gradients.js';
import type { Ops, Tensor, TfNamespace } from './types.js';

/**
 * @param tf the namespace that brought the backend: tfjs-node has its own copy of tfjs-core
 * @param backend name of a backend that has been initialised
 */
export function createOps(tf: TfNamespace, backend: string): Ops {
  // tfjs-node and cpu keep a reference to the array that they are given, and may hand it out again.
  const owned = (data: Float32Array): Float32Array => (backend === 'wasm' ? data : data.slice());
  const ops: Ops = {
    fromHost: (data, shape) => tf.tensor(owned(data), [...shape], 'float32'),
    toHost: (x) => owned(x.dataSync() as Float32Array),
    matMul(a, b) {
      if (a.rank !== 2 || b.rank !== 2) {
        throw new RangeError(
          `Expected two matrices, got shapes [${String(a.shape)}] and [${String(b.shape)}]`,
        );
      }
      return tf.matMul(a, b);
    },
    add: (a, b) => tf.add(a, b),
    sub: (a, b) => tf.sub(a, b),
    mul: (a, b) => tf.mul(a, b),
    div: (a, b) => tf.div(a, b),
    scale: (x, factor) => tf.mul(x, factor),
    exp: (x) => tf.exp(x),
    rmsNorm: (x, weight, eps) =>
      tf.tidy(() => {
        const meanSquare = tf.mean(tf.square(x), -1, true); // [.., 1]
        // A root and a division are exact to the last bit everywhere; rsqrt is not.
        return tf.mul(tf.div(x, tf.sqrt(tf.add(meanSquare, eps))), weight);
      }),
    layerNorm: (x, weight, eps) =>
      tf.tidy(() => {
        const centred = tf.sub(x, tf.mean(x, -1, true));
        const variance = tf.mean(tf.square(centred), -1, true); // [.., 1]
        return tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, eps))), weight);
      }),
    gelu: (x) => tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))),
    geluTanh: (x) =>
      tf.tidy(() => {
        const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
        return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
      }),
    softCap: (x, cap) => tf.tidy(() => tf.mul(tf.tanh(tf.div(x, cap)), cap)),
    silu: (x) => tf.tidy(() => tf.mul(x, tf.sigmoid(x))),
    softmax: (x) => tf.softmax(x, -1),
    sum: (x, axis) => tf.sum(x, axis),
    square: (x) => tf.square(x),
    argMax: (x) => tf.tidy(() => (tf.argMax(x, -1).dataSync() as Int32Array).slice()),
    reshape: (x, shape) => tf.reshape(x, [...shape]),
    transpose: (x, permutation) => tf.transpose(x, [...permutation]),
    slice: (x, begin, size) => tf.slice(x, [...begin], [...size]),
    concat: (xs, axis) => tf.concat([...xs], axis),
    gatherRows: (x, rows) => tf.tidy(() => tf.gather(x, tf.tensor1d(rows, 'int32'), 0)),
    gradients: (f, xs, dy) => gradients(tf, f, xs, dy),
    tidy<T>(f: () => T): T {
      let result: T;
      tf.tidy(() => {
        result = f();
        // tfjs walks what it is given entry by entry, for tensors to keep: numbers on the host are not for it.
        // It knows plain containers, which the callers' own types may not be.
        return ArrayBuffer.isView(result) ? undefined : (result as Tensor);
      });
      return result!;
    },
    keep: (x) => tf.keep(x),
    dispose(...xs) {
      for (const x of xs) x.dispose();
    },
    numTensors: () => tf.memory().numTensors,
  };
  return pinned(ops, () => {
    if (tf.getBackend() !== backend) void tf.setBackend(backend);
  });
}

/**
 * All copies of tfjs-core in a process share one current backend. Calling `activate` before each operation
 * lets several engines be open at once; for an initialised backend `setBackend` takes effect at once.
 */
function pinned(ops: Ops, activate: () => void): Ops {
  const entries = Object.entries(ops).map(([name, op]: [string, (...args: unknown[]) => unknown]) => [
    name,
    (...args: unknown[]) => {
      activate();
      return op(...args);
    },
  ]);
  return Object.fromEntries(entries) as Ops;
}
