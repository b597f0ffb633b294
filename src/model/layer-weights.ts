/**
 * What one layer of a transformer holds: names and shapes of its matrices M and vectors V.
 *
 * On an engine both are tensors, as a prefill has them; where tokens are decoded they are packed rows in the kernels' memory.
 *
 * Constant factors of an architecture (1 + w, query, residual and logit scales) are in the tensors, so that the forward pass
 * has no step for them.
 * Alphabet: E model width, H query heads, KV key/value heads, D head width, F MLP width, X experts, r rank of a latent.
 */
import type { LatentGroup } from '../cache/types.js';
import type { Tensor } from '../engine/types.js';

export interface Norm<V = Tensor> {
  /** `[E]` */
  readonly weight: V;
  /** `[E]` */
  readonly bias: V | undefined;
}

export interface Mlp<M = Tensor, V = Tensor> {
  /** `[E, F]`; undefined: the activation is applied to `up` alone. */
  readonly gate: M | undefined;
  readonly up: M;
  /** `[F, E]` */
  readonly down: M;
  /** `[F]`, `[F]`, `[E]` */
  readonly gateBias: V | undefined;
  readonly upBias: V | undefined;
  readonly downBias: V | undefined;
}

export interface ExpertWeights<M = Tensor, V = Tensor> {
  /** `[E, X]` */
  readonly router: M;
  readonly experts: readonly Mlp<M, V>[];
}

export interface LayerParts<M, V> {
  readonly attentionNorm: Norm<V> | undefined;
  readonly attentionOutNorm: Norm<V> | undefined;
  readonly mlpNorm: Norm<V> | undefined;
  readonly mlpOutNorm: Norm<V> | undefined;
  /** `[E, (H + 2·KV)·D]`: q, then k, then v; queries scaled so that attention divides by √D. */
  readonly qkv: M;
  /** `[(H + 2·KV)·D]` */
  readonly qkvBias: V | undefined;
  /** `[D]` each, or `[H·D]` and `[KV·D]` of norms over all heads. */
  readonly queryNorm: V | undefined;
  readonly keyNorm: V | undefined;
  /** `[H·D, E]` */
  readonly output: M;
  /** `[E]` */
  readonly outputBias: V | undefined;
  readonly mlp: Mlp<M, V> | ExpertWeights<M, V>;
}

/** A layer on an engine. */
export interface LayerWeights extends LayerParts<Tensor, Tensor> {
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
