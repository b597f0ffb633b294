/**
 * Whether rows may be multiplied in blocks of twice the size and still have the same bits.
 *
 * Decides by trying: which sums a matrix library splits, and where, depends on its version and on the processor.
 */
import type { Ops } from './types.js';

/** Widths of products in a model: `[K, N]`. */
const SHAPES: readonly (readonly [number, number])[] = [
  [576, 1024],
  [2048, 256],
];

/** Twice `rowBlock`, or `rowBlock` where that changes a row. */
export function wideRowBlock(ops: Ops, rowBlock: number): number {
  const wide = 2 * rowBlock;
  const same = SHAPES.every(([k, n]) => {
    const x = numbers(wide * k);
    const weights = numbers(k * n);
    const product = (first: number, rows: number): Float32Array =>
      ops.tidy(() => {
        const block = ops.fromHost(x.subarray(first * k, (first + rows) * k), [rows, k]);
        const normed = ops.rmsNorm(block, ops.fromHost(weights.subarray(0, k), [k]), 1e-5);
        return ops.toHost(ops.silu(ops.matMul(normed, ops.fromHost(weights, [k, n]))));
      });
    const whole = product(0, wide);
    const halves = [product(0, rowBlock), product(rowBlock, rowBlock)];
    return halves.every((half, h) => half.every((value, i) => value === whole[h * rowBlock * n + i]));
  });
  return same ? wide : rowBlock;
}

/** Numbers in [-1, 1), whose sums have to be rounded. */
function numbers(count: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
