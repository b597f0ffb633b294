/**
 * RoPE on whole prompts, on the engine.
 *
 * Decides nothing: the rotation of `rope.ts` for tensors. Its inverse is the same with −sin.
 */
import type { Ops, Tensor } from '../engine/types.js';

export interface Rope {
  /** `[S, D/2]` */
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** Rotates `[heads, S, D]`. */
export function rotate(ops: Ops, x: Tensor, { cos, sin }: Rope): Tensor {
  const [heads, S, D] = x.shape as [number, number, number];
  const low = ops.slice(x, [0, 0, 0], [heads, S, D / 2]);
  const high = ops.slice(x, [0, 0, D / 2], [heads, S, D / 2]);
  return ops.concat(
    [ops.sub(ops.mul(low, cos), ops.mul(high, sin)), ops.add(ops.mul(high, cos), ops.mul(low, sin))],
    2,
  );
}
