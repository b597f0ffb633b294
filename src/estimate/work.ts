/**
 * Operations of a prefill and of decoding, from a model's configuration alone.
 *
 * Two operations for each weight and token, and causal attention; norms, softmax and compression are left out.
 * Alphabet: N layers, E hidden, H query heads, KV, D head width, F, V vocabulary, S prompt tokens.
 */
import type { ModelConfig } from '../checkpoint/types.js';

/** Of a weight, as most checkpoints have them: bfloat16. */
export const STORED_BYTES = 2;

/** Weights that a token is multiplied with, without the output matrix; of experts those that it goes through. */
export function layerWeights({
  layers: N,
  hidden: E,
  heads: H,
  kvHeads: KV,
  headDim: D,
  intermediate: F,
  gated,
  experts,
}: ModelConfig): number {
  const matrices = gated ? 3 : 2;
  const sparse = experts?.layers.filter((one) => one).length ?? 0;
  const routed =
    experts === undefined ? 0 : E * experts.count + matrices * E * experts.width * experts.perToken;
  return N * (2 * E * H * D + 2 * E * KV * D) + (N - sparse) * matrices * E * F + sparse * routed;
}

/** V·E; it is used for decoded tokens only. */
export function headWeights({ vocabulary: V, hidden: E }: ModelConfig): number {
  return V * E;
}

/** All weights of matrices, the embedding included. */
export function matrixWeights(config: ModelConfig): number {
  const { hidden: E, experts, gated } = config;
  const sparse = experts?.layers.filter((one) => one).length ?? 0;
  const others = experts === undefined ? 0 : experts.count - experts.perToken; // not every token goes through them
  const waiting = sparse * others * (gated ? 3 : 2) * E * (experts?.width ?? 0);
  return layerWeights(config) + waiting + headWeights(config) * (config.tiedHead ? 1 : 2);
}

/** Weights of the largest layer, all of its experts included: what a prefill has on the engine at a time. */
export function largestLayer(config: ModelConfig): number {
  const { layers: N, experts } = config;
  const inLayers = matrixWeights(config) - headWeights(config) * (config.tiedHead ? 1 : 2);
  const sparse = experts?.layers.filter((one) => one).length ?? 0;
  if (sparse === 0) return inLayers / N;
  const dense = layerWeights({ ...config, experts: undefined, layers: N - sparse });
  return Math.max((inLayers - dense) / sparse, sparse === N ? 0 : dense / (N - sparse));
}

/** Operations of the prefill of S tokens. */
export function prefillOperations(config: ModelConfig, length: number): number {
  const { heads: H, headDim: D, windows } = config;
  const pairs = windows.reduce<number>((sum, window) => sum + seenPairs(length, window), 0);
  return 2 * length * layerWeights(config) + 4 * H * D * pairs;
}

/** Pairs of a query and a key that it sees, in a prompt of `length` tokens. */
function seenPairs(length: number, window = length): number {
  const ramp = Math.min(length, window);
  return (ramp * (ramp + 1)) / 2 + Math.max(0, length - window) * window;
}

export interface DecodeWork {
  /** Of matrix products, all rows and steps together. */
  readonly operations: number;
  /** Of attention. */
  readonly attention: number;
  /** Bytes of weights that are read, once per step for all rows. */
  readonly weightBytes: number;
}

/**
 * Work of decoding `tokens` for each row, all rows together.
 *
 * @param kept cached prompt tokens of each row
 */
export function decodeWork(
  config: ModelConfig,
  kept: readonly number[],
  tokens: number,
  bytesOfWeight: number = STORED_BYTES,
): DecodeWork {
  const { layers: N, heads: H, headDim: D } = config;
  const weights = layerWeights(config) + headWeights(config);
  const seen = kept.reduce((sum, n) => sum + tokens * n + (tokens * (tokens + 1)) / 2, 0);
  return {
    operations: 2 * weights * kept.length * tokens,
    attention: 4 * N * H * D * seen,
    weightBytes: bytesOfWeight * weights * tokens,
  };
}
