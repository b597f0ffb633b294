/**
 * ReCalKV's offline step (arXiv 2505.24357) for one layer: key and value projection in, low-rank factors out.
 *
 * Keys are reordered, grouped and decomposed per group, values decomposed whole and calibrated.
 */
import type { Matrix } from 'ml-matrix';
import { calibrateOnce } from './calibration.js';
import { groupHeads, type Grouping } from './grouping.js';
import { headRows, toFloat32, toMatrix } from './matrices.js';
import type { LayerRanks } from './ranks.js';
import { headSimilarity } from './similarity.js';
import { whitenedSvd, type Factors } from './svd.js';
import type { FactorGroup, LayerFactors } from './types.js';
import { whiteningRoot, type Whitening } from './whitening.js';

/** Two projections and the Gram matrices C = Σ XᵀX of what they were fed; X are the inputs behind the norm. */
export interface LayerStatistics {
  readonly kvHeads: number;
  readonly headDim: number;
  readonly keyWeight: Float32Array; // [KV·D, E]
  readonly valueWeight: Float32Array; // [KV·D, E]
  /** Of the model as it is, `[E, E]`. */
  readonly gram: Float64Array;
  /** Of the model whose earlier layers already run on their factors, `[E, E]`; drives the value calibration. */
  readonly gramAfter: Float64Array;
}

export interface FactoriseParams {
  readonly whitening: Whitening;
  readonly grouping: Grouping;
  /** Alternations of the value calibration; 1 as published, 0 leaves it out. */
  readonly iterations: number;
}

/**
 * Factors of one layer (paper sections 3.1 to 3.3; released code `compress_model_ours`).
 *
 * @param ranks the number of its key ranks is the number of key groups and divides KV
 */
export function factoriseLayer(
  layer: LayerStatistics,
  ranks: LayerRanks,
  params: FactoriseParams,
): LayerFactors {
  const { kvHeads: KV, headDim: D } = layer;
  const E = layer.keyWeight.length / (KV * D);
  const gram = toMatrix(layer.gram, E);
  const keys = toMatrix(layer.keyWeight, E);
  const values = toMatrix(layer.valueWeight, E);

  const groups = keyGroups(keys, gram, KV, ranks.keys.length, params);
  let ofValues = whitenedSvd(values, gram, ranks.values);
  if (params.iterations > 0) {
    const gramAfter = toMatrix(layer.gramAfter, E);
    for (let i = 0; i < params.iterations; i++) ofValues = calibrateOnce(ofValues, values, gramAfter);
  }
  return {
    keys: groups.map((heads, g) =>
      factorGroup(heads, whitenedSvd(headRows(keys, heads, D), gram, ranks.keys[g]!)),
    ),
    values: [factorGroup(range(KV), ofValues)],
  };
}

/** Heads that share a latent of the keys; heads alone or all together need no similarity, and stay in order. */
function keyGroups(
  keys: Matrix,
  gram: Matrix,
  kvHeads: number,
  groups: number,
  { whitening, grouping }: FactoriseParams,
): number[][] {
  if (groups === 1) return [range(kvHeads)];
  if (groups === kvHeads) return range(kvHeads).map((head) => [head]);
  return groupHeads(headSimilarity(keys, whiteningRoot(gram, whitening), kvHeads), groups, grouping);
}

function factorGroup(heads: readonly number[], { down, up }: Factors): FactorGroup {
  return { heads, rank: up.rows, down: toFloat32(down), up: toFloat32(up) };
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
