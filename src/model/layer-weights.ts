/**
 * What one layer of a transformer holds on the engine: names and shapes of its tensors.
 *
 * Constant factors of an architecture (1 + w, query, residual and logit scales) are in the tensors, so that the forward pass
 * has no step for them.
 * Alphabet: E model width, H query heads, KV key/value heads, D head width, F MLP width, X experts, r rank of a latent.
 */
import type { LatentGroup } from '../cache/types.js';
import type { Tensor } from '../engine/types.js';

export interface Norm {
  /** `[E]` */
  readonly weight: Tensor;
  /** `[E]` */
  readonly bias: Tensor | undefined;
}

export interface Mlp {
  /** `[E, F]`; undefined: the activation is applied to `up` alone. */
  readonly gate: Tensor | undefined;
  readonly up: Tensor;
  /** `[F, E]` */
  readonly down: Tensor;
  /** `[F]`, `[F]`, `[E]` */
  readonly gateBias: Tensor | undefined;
  readonly upBias: Tensor | undefined;
  readonly downBias: Tensor | undefined;
}

export interface ExpertWeights {
  /** `[E, X]` */
  readonly router: Tensor;
  readonly experts: readonly Mlp[];
}

export interface LayerWeights {
  readonly attentionNorm: Norm | undefined;
  readonly attentionOutNorm: Norm | undefined;
  readonly mlpNorm: Norm | undefined;
  readonly mlpOutNorm: Norm | undefined;
  /** `[E, (H + 2·KV)·D]`: q, then k, then v; queries scaled so that attention divides by √D. */
  readonly qkv: Tensor;
  /** `[(H + 2·KV)·D]` */
  readonly qkvBias: Tensor | undefined;
  /** `[D]` each, or `[H·D]` and `[KV·D]` of norms over all heads. */
  readonly queryNorm: Tensor | undefined;
  readonly keyNorm: Tensor | undefined;
  /** `[H·D, E]` */
  readonly output: Tensor;
  /** `[E]` */
  readonly outputBias: Tensor | undefined;
  readonly mlp: Mlp | ExpertWeights;
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

/** The tensors of a layer of the model's own. */
export function tensorsOf(layer: LayerWeights): Tensor[] {
  const { attentionNorm, attentionOutNorm, mlpNorm, mlpOutNorm, mlp, ...rest } = layer;
  const { qkv, qkvBias, queryNorm, keyNorm, output, outputBias } = rest;
  const norms = [attentionNorm, attentionOutNorm, mlpNorm, mlpOutNorm].flatMap((norm) => [
    norm?.weight,
    norm?.bias,
  ]);
  const mlps = 'experts' in mlp ? [mlp.router, ...mlp.experts.flatMap(mlpTensors)] : mlpTensors(mlp);
  return [...norms, qkv, qkvBias, queryNorm, keyNorm, output, outputBias, ...mlps].filter(
    (tensor) => tensor !== undefined,
  );
}

function mlpTensors({ gate, up, down, gateBias, upBias, downBias }: Mlp): (Tensor | undefined)[] {
  return [gate, up, down, gateBias, upBias, downBias];
}
