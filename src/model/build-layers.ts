/**
 * The two builders of layers: tensors on an engine, and packed rows where they lie.
 *
 * A prefill wants float32 matrices `[in, out]`, a decode step the file's own rows `[out, in]`, each with its factor.
 */
import type { Ops, Tensor } from '../engine/types.js';
import type { KernelMemory, Pointer } from '../kernels/memory.js';
import type { LayerBuilder, Scaled } from './load-layers.js';
import type { StoredMatrix, WeightStore } from './weight-store.js';

/** Matrices on top of each other, whose products stand side by side. */
export type HostMatrix = readonly { readonly matrix: StoredMatrix; readonly scale: number }[];

/** Float32 numbers in the memory of the layer. */
export interface HostVector {
  readonly memory: KernelMemory;
  readonly at: Pointer;
}

/** Tensors, widened anew by every call. */
export function tensorBuilder(ops: Ops, store: WeightStore): LayerBuilder<Tensor, Tensor> {
  return {
    matrix: (parts) =>
      ops.tidy(() => {
        const columns = store.matrix(parts[0]!.name).columns;
        const joined = store.transposed(
          parts.map(({ name }) => name),
          (numbers) => ops.fromHost(numbers, [columns, numbers.length / columns]),
        );
        if (parts.every(({ by }) => by === 1)) return joined;
        const factors = parts.flatMap(({ name, by }) => new Array<number>(store.matrix(name).rows).fill(by));
        return ops.mul(joined, ops.fromHost(Float32Array.from(factors), [factors.length]));
      }),
    vector: (parts, plusOne) => {
      const numbers = vectorOf(store, parts, plusOne);
      return ops.fromHost(numbers, [numbers.length]);
    },
  };
}

/**
 * Packed rows; vectors are copied, and given to `own` to be freed.
 *
 * @param nearby where vectors go; undefined: where the file's own are
 */
export function hostBuilder(
  store: WeightStore,
  own: (vector: HostVector) => void,
  nearby?: KernelMemory,
): LayerBuilder<HostMatrix, HostVector> {
  return {
    matrix: (parts) => parts.map(({ name, by }) => ({ matrix: store.matrix(name), scale: by })),
    vector: (parts, plusOne) => {
      const numbers = vectorOf(store, parts, plusOne);
      const memory = nearby ?? store.matrix(parts[0]!.name).memory;
      const vector = { memory, at: memory.alloc(4 * numbers.length + 16) };
      memory.floats(vector.at, numbers.length).set(numbers);
      own(vector);
      return vector;
    },
  };
}

function vectorOf(store: WeightStore, parts: readonly Scaled[], plusOne = false): Float32Array {
  const numbers = parts.map(({ name, by }) => {
    const part = store.read(name);
    for (let i = 0; i < part.length; i++) part[i] = Math.fround(part[i]! + Number(plusOne)) * by;
    return part;
  });
  return Float32Array.from(numbers.flatMap((part) => [...part]));
}
