/** Low-rank factors of the tiny llama by plain truncation of its singular values, without any calibration. */
import { fileURLToPath } from 'node:url';
import { Matrix, SVD } from 'ml-matrix';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import type { LowRankFactors } from '../../src/model/low-rank.js';
import type { ModelConfig } from '../../src/checkpoint/types.js';

const WEIGHTS = fileURLToPath(new URL('../fixtures/golden/llama/model.safetensors', import.meta.url));

/** @param ratio fraction of the projections' rank removed; 0 rebuilds them as they are */
export function tinyFactors(
  { layers, hidden, kvHeads, headDim }: ModelConfig,
  ratio: number,
): LowRankFactors {
  const file = openSafetensors(WEIGHTS);
  try {
    const groupOf = (layer: number, name: string) => {
      const width = kvHeads * headDim;
      const weight = file.read(`model.layers.${layer}.self_attn.${name}.weight`); // [KV·D, E]
      const rank = Math.round((1 - ratio) * Math.min(width, hidden));
      return {
        heads: Array.from({ length: kvHeads }, (_, head) => head),
        rank,
        ...truncated(weight, [width, hidden], rank),
      };
    };
    return {
      layers: Array.from({ length: layers }, (_, layer) => ({
        keys: [groupOf(layer, 'k_proj')],
        values: [groupOf(layer, 'v_proj')],
      })),
    };
  } finally {
    file.close();
  }
}

/** W = U Σ Vᵀ, `[width, E]` → down = V Σ `[E, r]`, up = Uᵀ `[r, width]`. */
function truncated(
  weight: Float32Array,
  [width, hidden]: readonly [number, number],
  rank: number,
): { down: Float32Array; up: Float32Array } {
  const {
    leftSingularVectors: U,
    rightSingularVectors: V,
    diagonal,
  } = new SVD(Matrix.from1DArray(width, hidden, weight), { autoTranspose: true });
  const down = Array.from({ length: hidden * rank }, (_, i) => {
    const r = i % rank;
    return V.get(Math.floor(i / rank), r) * diagonal[r]!;
  });
  const up = Array.from({ length: rank * width }, (_, i) => U.get(i % width, Math.floor(i / width)));
  return { down: Float32Array.from(down), up: Float32Array.from(up) };
}
