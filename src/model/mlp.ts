/**
 * The part of a layer behind attention: an MLP, or experts of which each token goes through a few.
 *
 * Experts are chosen on the host; a token's outputs are added in the order of the experts, so that its sum does not depend on
 * what other tokens choose.
 * Alphabet: R rows, E model width, F MLP width, X experts.
 */
import type { Activation, Experts } from '../checkpoint/types.js';
import type { Ops, Tensor } from '../engine/types.js';
import type { ExpertWeights, Mlp } from './layer-weights.js';

/** `x [R, E]` → `[R, E]`. */
export function mlpOutput(ops: Ops, mlp: Mlp, activation: Activation, x: Tensor): Tensor {
  const up = withBias(ops, ops.matMul(x, mlp.up), mlp.upBias); // [R, F]
  const inner =
    mlp.gate === undefined
      ? activate(ops, activation, up)
      : ops.mul(activate(ops, activation, withBias(ops, ops.matMul(x, mlp.gate), mlp.gateBias)), up);
  return withBias(ops, ops.matMul(inner, mlp.down), mlp.downBias);
}

export function withBias(ops: Ops, x: Tensor, bias: Tensor | undefined): Tensor {
  return bias === undefined ? x : ops.add(x, bias);
}

function activate(ops: Ops, activation: Activation, x: Tensor): Tensor {
  switch (activation) {
    case 'silu':
      return ops.silu(x);
    case 'gelu':
      return ops.gelu(x);
    case 'gelu_tanh':
      return ops.geluTanh(x);
  }
}

/** A product of very few rows has other bits on native with other threads. */
const LEAST_ROWS = 16;

/** `x [R, E]` → the weighted sum of each row's experts, `[R, E]`. */
export function expertsOutput(
  ops: Ops,
  { router, experts }: ExpertWeights,
  { perToken, normalised }: Experts,
  activation: Activation,
  x: Tensor,
): Tensor {
  const [R, E] = x.shape as [number, number];
  const X = experts.length;
  const shares = ops.toHost(ops.softmax(ops.matMul(x, router))); // [R, X]
  const chosen = chooseExperts(shares, R, X, perToken, normalised);
  const sums = new Float32Array(R * E);
  for (const [e, mlp] of experts.entries()) {
    const mine = chosen.filter(({ expert }) => expert === e);
    if (mine.length === 0) continue;
    const padded = Math.max(LEAST_ROWS, mine.length);
    const rows = Int32Array.from({ length: padded }, (_, i) => mine[i]?.row ?? 0);
    const out = ops.tidy(() => ops.toHost(mlpOutput(ops, mlp, activation, ops.gatherRows(x, rows))));
    mine.forEach(({ row, share }, i) => {
      for (let j = 0; j < E; j++) sums[row * E + j]! += share * out[i * E + j]!;
    });
  }
  return ops.fromHost(sums, [R, E]);
}

export interface Choice {
  readonly row: number;
  readonly expert: number;
  readonly share: number;
}

/** The `perToken` largest shares of each row; of equal ones the first. */
export function chooseExperts(
  shares: Float32Array,
  R: number,
  X: number,
  perToken: number,
  normalised: boolean,
): Choice[] {
  return Array.from({ length: R }, (_, row) => {
    const mine = shares.subarray(row * X, (row + 1) * X);
    const best = Array.from({ length: X }, (_, e) => e)
      .sort((a, b) => mine[b]! - mine[a]! || a - b)
      .slice(0, perToken);
    const total = normalised ? best.reduce((sum, e) => sum + mine[e]!, 0) : 1;
    return best.map((expert) => ({ row, expert, share: mine[expert]! / total }));
  }).flat();
}
