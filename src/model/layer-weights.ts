/**
 * What one layer of a transformer holds on the engine.
 *
 * Decides the names and shapes of the tensors. Knows nothing of what is computed with them.
 * Alphabet: E model width, H query heads, KV key/value heads, D head width, F SwiGLU width, r rank of a latent.
 */
import type { LatentGroup } from '../cache/types.js';
import type { Tensor } from '../engine/types.js';

export interface LayerWeights {
  /** `[E]` */
  readonly inputNorm: Tensor;
  /** `[E, (H + 2·KV)·D]`: q, then k, then v */
  readonly qkv: Tensor;
  /** `[(H + 2·KV)·D]` */
  readonly qkvBias: Tensor | undefined;
  /** `[D]` each (Qwen3) */
  readonly queryNorm: Tensor | undefined;
  readonly keyNorm: Tensor | undefined;
  /** `[H·D, E]` */
  readonly output: Tensor;
  /** `[E]` */
  readonly mlpNorm: Tensor;
  /** `[E, F]` each */
  readonly gate: Tensor;
  readonly up: Tensor;
  /** `[F, E]` */
  readonly down: Tensor;
  /** Where keys and values have latents; `qkv` holds what the factors rebuild. */
  readonly lowRank: LowRankLayer | undefined;
}

/** What a layer holds beside its rebuilt projections. */
export interface LowRankLayer {
  /** `[E, Σr]`: the groups' down-projections side by side, those of the keys first. */
  readonly down: Tensor;
  readonly keys: readonly UpProjection[];
  readonly values: readonly UpProjection[];
}

/** A latent's way back, without the latent. */
export type UpProjection = Omit<LatentGroup, 'latent'>;
