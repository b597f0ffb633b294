/**
 * Key and value projections as low-rank factors: W ≈ down · up, per group of KV heads.
 *
 * Decode and attention multiply by the rebuilt matrix, bit for bit the same as in prefill; prefill multiplies by `down`
 * once more for the latents that are cached. Alphabet: E model width, KV heads, D head width, r rank, S tokens.
 */
import type { LatentGroup, LowRankTrace } from '../cache/types.js';
import type { Ops, Tensor } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import type { LayerWeights, LowRankLayer, UpProjection } from './layer-weights.js';
import type { Rotation } from './rope.js';
import { ropeAttentionFactor } from '../checkpoint/rope-frequencies.js';
import type { ModelConfig } from '../checkpoint/types.js';

/** KV heads that share one latent: z = x̂·down is what a token stores, z·up are their keys or values. */
export interface FactorGroup {
  /** Original indices of the KV heads, in the order of the column blocks of `up`. */
  readonly heads: readonly number[];
  /** r, width of the latent. */
  readonly rank: number;
  /** `[E, r]` */
  readonly down: Float32Array;
  /** `[r, heads·D]` */
  readonly up: Float32Array;
}

/** One layer; the groups of each side cover every KV head exactly once. */
export interface LayerFactors {
  /** Give the keys before RoPE. */
  readonly keys: readonly FactorGroup[];
  readonly values: readonly FactorGroup[];
}

export interface LowRankFactors {
  readonly layers: readonly LayerFactors[];
}

/** Throws UserError where the model's keys cannot be rebuilt from a latent, or its layers cannot be calibrated. */
export function checkLowRankModel(config: ModelConfig, name: string): void {
  const reason = lowRankObjection(config);
  if (reason === undefined) return;
  throw new UserError(`${name} ${reason}`, {
    hint: `Low-rank methods run on models like Llama and Qwen2; leave them out for ${config.architecture}.`,
    exitCode: 2,
  });
}

/** Why a model's keys and values cannot be factored; undefined where they can. */
export function lowRankObjection({
  headNorm,
  ropes,
  windows,
  experts,
  headDim,
}: ModelConfig): string | undefined {
  if (headNorm !== 'none')
    return 'normalises its key heads after the projection, so they cannot be rebuilt from latents';
  if (ropes.some((rope) => rope !== undefined && (rope.width !== headDim || rope.pairing !== 'half')))
    return 'rotates a part of each head, or pairs of neighbours, and rebuilt keys are rotated in whole halves';
  if (ropes.some((rope) => rope !== undefined && ropeAttentionFactor(rope) !== 1))
    return 'scales its rotated keys, which rebuilt keys are not';
  if (windows.some((window) => window !== undefined))
    return 'has sliding layers, which methods leave alone, and factors would change';
  if (experts !== undefined) return 'has experts, through which no gradient is computed for the calibration';
  return undefined;
}

/** Throws Error unless the factors have the shapes of the model and cover every KV head once. */
export function checkFactors(config: ModelConfig, { layers }: LowRankFactors): void {
  const { hidden, kvHeads, headDim } = config;
  const refuse = (what: string): never => {
    throw new Error(`low-rank factors do not fit the model: ${what}`);
  };
  if (layers.length !== config.layers) refuse(`${layers.length} layers, expected ${config.layers}`);
  for (const [layer, factors] of layers.entries()) {
    for (const side of ['keys', 'values'] as const) {
      const place = `layer ${layer}, ${side}`;
      const heads = factors[side].flatMap((group) => group.heads).sort((a, b) => a - b);
      if (heads.length !== kvHeads || heads.some((head, i) => head !== i)) {
        refuse(`${place}: KV heads ${heads.join(', ')}, expected each of ${kvHeads} once`);
      }
      for (const group of factors[side]) {
        const sizes = [hidden * group.rank, group.rank * group.heads.length * headDim];
        if (group.down.length !== sizes[0] || group.up.length !== sizes[1]) {
          refuse(
            `${place}: ${group.down.length} and ${group.up.length} entries, expected ${sizes.join(' and ')}`,
          );
        }
      }
    }
  }
}

/** The layer with its key and value projections replaced: `qkv` and `lowRank` hold new tensors, the rest is shared. */
export function withLowRank(
  ops: Ops,
  config: ModelConfig,
  layer: LayerWeights,
  factors: LayerFactors,
): LayerWeights {
  const { hidden: E, heads: H, headDim: D } = config;
  const bias = layer.qkvBias === undefined ? undefined : ops.toHost(layer.qkvBias); // [(H + 2·KV)·D]
  const { down, ...ups } = upProjections(config, factors, bias);
  return {
    ...layer,
    qkv: ops.tidy(() => {
      const queries = ops.slice(layer.qkv, [0, 0], [E, H * D]);
      const [keys, values] = [factors.keys, factors.values].map((groups) => rebuilt(ops, groups, E, D));
      return ops.concat([queries, keys!, values!], 1); // [E, (H + 2·KV)·D]
    }),
    lowRank: { ...ups, down: ops.fromHost(down, [E, down.length / E]) },
  };
}

/**
 * What turns x̂ into latents, and latents into keys and values.
 *
 * @param bias of queries, keys and values, `[(H + 2·KV)·D]`
 */
export function upProjections(
  { hidden: E, heads: H, kvHeads: KV, headDim: D }: ModelConfig,
  { keys, values }: LayerFactors,
  bias: Float32Array | undefined,
): Omit<LowRankLayer, 'down'> & { readonly down: Float32Array } {
  const upOf = (groups: readonly FactorGroup[], firstHead: number): UpProjection[] =>
    groups.map(({ heads, rank, up }) => ({
      heads,
      rank,
      up,
      bias: bias === undefined ? undefined : headsOf(bias, heads, firstHead, D),
    }));
  const groups = [...keys, ...values];
  const width = groups.reduce((total, { rank }) => total + rank, 0); // Σr
  const down = new Float32Array(E * width);
  let first = 0;
  for (const group of groups) {
    for (let e = 0; e < E; e++) {
      down.set(group.down.subarray(e * group.rank, (e + 1) * group.rank), e * width + first);
    }
    first += group.rank;
  }
  return { down, keys: upOf(keys, H), values: upOf(values, H + KV) };
}

/** `down · up` of all groups as a projection of the checkpoint, `[KV·D, E]`. */
export function rebuiltProjections(
  ops: Ops,
  { hidden: E, headDim: D }: ModelConfig,
  groups: readonly FactorGroup[],
): Float32Array {
  return ops.tidy(() => ops.toHost(ops.transpose(rebuilt(ops, groups, E, D), [1, 0])));
}

/**
 * The latents of a layer's tokens, beside what turns them into keys and values.
 *
 * @param normed x̂ `[S, E]`, the layer's normed input
 */
export function latentsOf(
  ops: Ops,
  layer: LowRankLayer,
  normed: Tensor,
  rotation: Rotation | undefined,
): LowRankTrace {
  const latents = ops.matMul(normed, layer.down); // [S, Σr]
  const S = latents.shape[0];
  let from = 0;
  const take = (group: UpProjection): LatentGroup => {
    const latent = ops.toHost(ops.slice(latents, [0, from], [S, group.rank])); // [S, r]
    from += group.rank;
    return { ...group, latent };
  };
  const keys = layer.keys.map(take);
  const D = layer.keys[0]!.up.length / (layer.keys[0]!.rank * layer.keys[0]!.heads.length);
  // angles of 0 leave the keys of a layer that does not rotate as they are
  const ropeFrequencies = rotation?.frequencies ?? new Float32Array(D / 2);
  return { keys, values: layer.values.map(take), ropeFrequencies };
}

/** `down · up` of all groups, columns in the order of the heads, `[E, KV·D]`. */
function rebuilt(ops: Ops, groups: readonly FactorGroup[], E: number, D: number): Tensor {
  const columns: Tensor[] = []; // [E, D] by head
  for (const { heads, rank, down, up } of groups) {
    const product = ops.matMul(ops.fromHost(down, [E, rank]), ops.fromHost(up, [rank, heads.length * D]));
    heads.forEach((head, g) => (columns[head] = ops.slice(product, [0, g * D], [E, D])));
  }
  return joined(ops, columns);
}

/** Side by side. */
function joined(ops: Ops, parts: readonly Tensor[]): Tensor {
  return parts.length === 1 ? parts[0]! : ops.concat(parts, 1);
}

/** The entries of some heads of `[all heads · D]`. */
function headsOf(bias: Float32Array, heads: readonly number[], firstHead: number, D: number): Float32Array {
  const part = new Float32Array(heads.length * D);
  heads.forEach((head, g) => {
    const from = (firstHead + head) * D;
    part.set(bias.subarray(from, from + D), g * D);
  });
  return part;
}
