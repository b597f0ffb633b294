/** Golden numbers of ReCalKV's own code, and what the tests measure with. */
import { readFileSync } from 'node:fs';
import { Matrix } from 'ml-matrix';
import { toMatrix } from '../../../../src/methods/rank/recalkv/matrices.js';
import type { FactorGroup } from '../../../../src/methods/rank/recalkv/types.js';
import { openSafetensors } from '../../../../src/checkpoint/safetensors.js';
import { randomFor } from '../../../../src/base/random.js';
import { methodFixture } from '../../support.js';

interface GroupingCase {
  readonly heads: number;
  readonly groups: number;
  readonly cka: readonly (readonly number[])[];
  readonly released: readonly (readonly number[])[];
  readonly strict: readonly (readonly number[])[];
}

interface RankCase {
  readonly method: 'fisher_uniform' | 'uniform';
  readonly layers: number;
  readonly kv_heads: number;
  readonly head_dim: number;
  readonly group_size: number;
  readonly kept_fraction: number;
  readonly fisher: Readonly<Record<string, number>> | null;
  readonly ranks: Readonly<Record<string, readonly number[]>>;
  readonly rank_sum: number;
}

interface Golden {
  readonly tensor_level: {
    readonly kv_heads: number;
    readonly head_dim: number;
    readonly width: number;
    readonly v_rank: number;
    readonly cka_cholesky: readonly (readonly number[])[];
    readonly cka_svd: readonly (readonly number[])[];
    readonly groups_cholesky: readonly (readonly number[])[];
    readonly groups_strict_cholesky: readonly (readonly number[])[];
    readonly groups_svd: readonly (readonly number[])[];
    readonly groups_strict_svd: readonly (readonly number[])[];
    readonly k_relative_error: Readonly<Record<string, number>>;
    readonly v_relative_error: readonly {
      readonly form: string;
      readonly on_whitening_activations: number;
      readonly on_ovc_activations: number;
    }[];
  };
  readonly grouping: { readonly cases: readonly GroupingCase[] };
  readonly ranks: { readonly cases: readonly RankCase[] };
  readonly calibration_ids: readonly (readonly number[])[];
}

export const golden = JSON.parse(readFileSync(methodFixture('recalkv', 'golden.json'), 'utf8')) as Golden;

/** A tensor of recalkv/tensors.safetensors. */
export function tensor(name: string): Float32Array {
  const file = openSafetensors(methodFixture('recalkv', 'tensors.safetensors'));
  try {
    return file.read(name);
  } finally {
    file.close();
  }
}

/** Σ XᵀX over rows of width E, `[E, E]`. */
export function gramOf(rows: Float32Array, width: number): Matrix {
  const x = toMatrix(rows, width);
  return x.transpose().mmul(x);
}

/** What the groups rebuild, in the original order of the heads: `[KV·D, E]`. */
export function rebuild(groups: readonly FactorGroup[], headDim: number): Matrix {
  const E = groups[0]!.down.length / groups[0]!.rank;
  const heads = groups.flatMap((group) => group.heads);
  const weight = Matrix.zeros(heads.length * headDim, E);
  for (const { heads: members, rank, down, up } of groups) {
    const rows = toMatrix(down, rank)
      .mmul(toMatrix(up, members.length * headDim))
      .transpose();
    members.forEach((head, i) => {
      weight.setSubMatrix(rows.subMatrix(i * headDim, (i + 1) * headDim - 1, 0, E - 1), head * headDim, 0);
    });
  }
  return weight;
}

export function maxDifference(a: Matrix, b: Matrix): number {
  return Matrix.sub(a, b).abs().max();
}

/** ‖X (Ŵ − W)ᵀ‖_F for C = Σ XᵀX. */
export function errorOf(weight: Matrix, approximation: Matrix, gram: Matrix): number {
  const difference = Matrix.sub(approximation, weight);
  return Math.sqrt(Math.max(difference.mmul(gram).mul(difference).sum(), 0));
}

/** A stream of fixed numbers in (−1, 1) that no small rank explains. */
export function noise(name: string): () => number {
  const random = randomFor('recalkv', name);
  return () => random.uint32() / 2 ** 31 - 1;
}

export function someMatrix(rows: number, columns: number, next: () => number = noise('matrix')): Matrix {
  return Matrix.from1DArray(
    rows,
    columns,
    Array.from({ length: rows * columns }, () => next()),
  );
}
