/**
 * Blocks of rows that may be multiplied one for the other: a row has the same bits in all of them.
 *
 * Which sums a matrix library splits depends on its version, the processor and the size, so it is tried, not assumed.
 */
import type { Ops } from '../types.js';

/** Widths of products in a model: `[K, N]`. */
const SHAPES: readonly (readonly [number, number])[] = [
  [576, 1024],
  [2048, 256],
  [4096, 256],
];

/** Those of `sizes`, ascending, whose rows have the bits that the first gives them. */
export function equalRowBlocks(ops: Ops, sizes: readonly number[]): number[] {
  const [first, widest] = [sizes[0]!, sizes.at(-1)!];
  const cases = SHAPES.map(([k, n]) => {
    const x = numbers(widest * k);
    const weights = numbers(k * n);
    /** As many rows of `[widest, N]` as whole blocks of `size` rows make, computed in these. */
    const product = (size: number): Uint32Array => {
      const rows = widest - (widest % size);
      const out = new Float32Array(rows * n);
      for (let row = 0; row < rows; row += size) {
        const block = ops.tidy(() => {
          const part = ops.fromHost(x.subarray(row * k, (row + size) * k), [size, k]);
          const normed = ops.rmsNorm(part, ops.fromHost(weights.subarray(0, k), [k]), 1e-5);
          return ops.toHost(ops.silu(ops.matMul(normed, ops.fromHost(weights, [k, n]))));
        });
        out.set(block, row * n);
      }
      return new Uint32Array(out.buffer);
    };
    return { product, expected: product(first) };
  });
  const agrees = (size: number): boolean =>
    cases.every(({ product, expected }) => {
      const found = product(size);
      return found.every((bits, i) => bits === expected[i]);
    });
  return sizes.filter((size) => size === first || agrees(size));
}

/** Numbers in [-1, 1), whose sums have to be rounded. */
function numbers(count: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
