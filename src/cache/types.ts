/**
 * What passes between prefill, methods and caches: traces, observations, plans, byte counts.
 *
 * One file of shapes, so that neither models nor methods need to know each other.
 * Alphabet: H query heads, KV key/value heads, G = H/KV, S cached tokens, D head width, W window.
 */
import type { AttentionPlace, AttentionWork } from './attention-work.js';
import type { KernelMemory } from '../kernels/memory.js';
import type { Once } from './once.js';

/** Something that a method wants measured during the one prefill; nothing is computed unless asked for. */
export type Observation =
  /** Post-RoPE queries of the last `w = min(window, S)` positions, `[H, w, D]`. */
  | { readonly kind: 'window_queries'; readonly window: number }
  /** Causal softmax attention of the last `w` queries to all keys, mean over the w rows, `[H, S]`. */
  | { readonly kind: 'window_attention'; readonly window: number }
  /** Logits of the last `w` queries, scaled by 1/√D, before softmax, `[H, w, S]`; −Infinity where a key is not seen. */
  | { readonly kind: 'window_logits'; readonly window: number }
  /** Causal attention output of the last `w` queries, `[H, w, D]`. */
  | { readonly kind: 'window_outputs'; readonly window: number }
  /** Causal softmax attention of all S queries, sum over the rows that see each key, `[H, S]`. */
  | { readonly kind: 'attention_sums' }
  /** ‖v W_o,h‖₁ of each value through the output projection of each query head, mean over the G heads, `[KV, S]`. */
  | { readonly kind: 'value_output_norms' }
  /**
   * Logarithm of the expectation of exp(q·k/√D) for the keys k at positions `skip … S − 1` and queries to come,
   * `[H, S − skip]`: k·μ/√D, plus kᵀΣk/(2D) with `covariance`. μ and Σ are mean and covariance of the pre-RoPE queries at
   * these positions, with the query projection's bias or without, rotated by the mean of the rotations of the next
   * `horizon` positions `S … S + horizon − 1`.
   */
  | {
      readonly kind: 'future_logits';
      readonly skip: number;
      readonly horizon: number;
      readonly bias: boolean;
      readonly covariance: boolean;
    }
  /** μ of `future_logits`, bias of the query projection included, `[H, D]`; 0 where no position is left. */
  | { readonly kind: 'future_query'; readonly skip: number; readonly horizon: number }
  /** Keys before RoPE, `[KV, S, D]`. */
  | { readonly kind: 'unrotated_keys' }
  /**
   * Softmax attention of every query to the keys of its own chunk, later ones too, summed over the queries, `[H, S]`; 0
   * outside the chunks. These are `chunk` positions each from `first` on, the last one shorter, up to `last` positions
   * before the end. Logits are scaled by 1/√D where `scaled`, else not at all. `padded`: the last chunk is filled up with
   * queries and keys of zeros, which take part.
   */
  | {
      readonly kind: 'chunk_attention';
      readonly chunk: number;
      readonly first: number;
      readonly last: number;
      readonly scaled: boolean;
      readonly padded: boolean;
    }
  /** Another observation, measured of each stretch of `chunk` positions as if it were the prompt; one after the other. */
  | { readonly kind: 'in_chunks'; readonly chunk: number; readonly of: Observation };

/** A stable name of an observation; equal observations have equal keys. */
export function observationKey(observation: Observation): string {
  if (observation.kind !== 'in_chunks') return Object.values(observation).join(':');
  return `in_chunks:${observation.chunk}:(${observationKey(observation.of)})`;
}

/** Numbers of an observation of a prompt of S tokens. */
export function observationSize(
  observation: Observation,
  {
    heads: H,
    kvHeads: KV,
    headDim: D,
    length: S,
  }: Pick<LayerShape, 'heads' | 'kvHeads' | 'headDim' | 'length'>,
): number {
  switch (observation.kind) {
    case 'window_queries':
    case 'window_outputs':
      return H * Math.min(observation.window, S) * D;
    case 'window_logits':
      return H * Math.min(observation.window, S) * S;
    case 'window_attention':
    case 'attention_sums':
    case 'chunk_attention':
      return H * S;
    case 'value_output_norms':
      return KV * S;
    case 'future_logits':
      return H * Math.max(0, S - observation.skip);
    case 'future_query':
      return H * D;
    case 'unrotated_keys':
      return KV * S * D;
    case 'in_chunks': {
      const { chunk, of } = observation;
      const shape = { heads: H, kvHeads: KV, headDim: D };
      const rest = S % chunk;
      return (
        Math.floor(S / chunk) * observationSize(of, { ...shape, length: chunk }) +
        (rest === 0 ? 0 : observationSize(of, { ...shape, length: rest }))
      );
    }
  }
}

export interface LayerShape {
  readonly layer: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** S: prompt tokens cached by this layer. */
  readonly length: number;
  /** c: the softmax is given c · tanh(logit / c). */
  readonly softCap?: number | undefined;
  /** W: a query at position q sees the entries whose position is above q − W; undefined: all. */
  readonly window?: number | undefined;
  /** Whether all layers of the model have a window: methods then act in them. */
  readonly allSlide?: boolean | undefined;
}

/** One layer after its attention over the full prompt. Keys are post-RoPE. Row-major. */
export interface LayerTrace extends LayerShape {
  /** `[KV, S, D]` */
  readonly keys: Float32Array;
  /** `[KV, S, D]` */
  readonly values: Float32Array;
  /** By `observationKey`. */
  readonly observations: ReadonlyMap<string, Float32Array>;
  /** What several pipelines derive of this layer, each once. */
  readonly once: Once;
  /** How its keys are rotated; undefined where they are not. */
  readonly rotation?: RopeAngles | undefined;
  /** Where the model's key and value projections are low-rank factors: what would be cached instead. */
  readonly lowRank?: LowRankTrace | undefined;
}

/** Rotary position embedding of a layer, without its tables. */
export interface RopeAngles {
  /** Radians per position, `[width/2]`; channels beyond the width are not rotated. */
  readonly frequencies: Float32Array;
  /** Which channels form a pair: j and j + width/2, or 2j and 2j + 1. */
  readonly pairing: 'half' | 'interleaved';
}

/** One layer's keys and values as latents: `keys` and `values` of the trace are what the factors rebuild. */
export interface LowRankTrace {
  readonly keys: readonly LatentGroup[];
  readonly values: readonly LatentGroup[];
  /** `[D/2]`, radians per position: rebuilt keys are rotated to their token's position. */
  readonly ropeFrequencies: Float32Array;
}

/** KV heads that share one latent: `latent · up + bias` are their entries, keys before RoPE. */
export interface LatentGroup {
  /** KV heads, in the order of the columns of `up`; every head is in exactly one group. */
  readonly heads: readonly number[];
  /** r */
  readonly rank: number;
  /** `[S, r]` */
  readonly latent: Float32Array;
  /** `[r, heads·D]` */
  readonly up: Float32Array;
  /** `[heads·D]` */
  readonly bias?: Float32Array | undefined;
}

/** What stands in for pruned entries when attention reads a sparse row. */
export type Fill =
  /** Pruned entries read as 0; no sign, no scale is stored. */
  | { readonly kind: 'zero' }
  /** `sign(x_tj) · scale_t · channel_j` (SparK's degenerate recovery); sign(0) = −1. Per token D sign bits and one scale. */
  | { readonly kind: 'signed'; readonly scale: Float32Array; readonly channel: Float32Array }
  /** `scale_t` for every pruned channel of token t. */
  | { readonly kind: 'mean'; readonly scale: Float32Array };

/** Per-token channel masks of one KV head over its n kept tokens. */
export interface SparseHead {
  /** `[n, D]`, 1 = kept, 0 = pruned. Counts per token may differ. */
  readonly mask: Uint8Array;
  /** scale `[n]`, channel `[D]`. */
  readonly fill: Fill;
}

/** How one side (keys or values) of a layer is stored. */
export type SidePlan = Codec & {
  /** Bits of the stored entries; without it they are in the cache's format. */
  readonly precision?: Precision | undefined;
};

export type Codec =
  /** `contents`, per KV head `[n, D]`, stands in place of the kept tokens' own entries. */
  | { readonly codec: 'dense'; readonly contents?: readonly Float32Array[] | undefined }
  /**
   * One channel mask `[D]` (1 = kept) per KV head; the newest `recent` kept tokens stay dense. `queryMasks`, one `[D]`
   * per query head, says which of them each query head reads; then a KV head's mask is the union of its group's.
   * `everyToken`: tokens after the prompt hold only these channels too, and `recent` is 0.
   */
  | {
      readonly codec: 'channels';
      readonly masks: readonly Uint8Array[];
      readonly recent: number;
      readonly queryMasks?: readonly Uint8Array[] | undefined;
      readonly everyToken?: boolean | undefined;
    }
  | { readonly codec: 'sparse'; readonly heads: readonly SparseHead[] }
  /** The latents of `LayerTrace.lowRank`, each stored once for all its KV heads. */
  | { readonly codec: 'latent' };

/** Quantisation of what a codec stores: `code · scale + minimum`, asymmetric, rounded to nearest, ties to even. */
export interface Precision {
  readonly bits: 2 | 4 | 8;
  /**
   * Which entries share a scale and a minimum: `channel`, `group` consecutive tokens of one channel (KIVI's keys);
   * `token`, `group` consecutive stored entries of one token (KIVI's values), the last group of a token may be shorter.
   * Only dense entries and channels have the former, and only in blocks.
   */
  readonly along: 'channel' | 'token';
  /** Along channels R is a multiple of it; along tokens Infinity: the whole row. */
  readonly group: number;
  /** R: the newest tokens in the cache's format, decoded ones included. */
  readonly residual: number;
  /**
   * blocks: R tokens are quantised together once R have gathered (of the prompt ⌊n/R⌋·R, and always after attention),
   * and tokens of the channels codec hold all channels until then; sliding: each as soon as it is older than R, with
   * the channels that it has. Decoded tokens beside sparse entries and latents stay dense.
   */
  readonly settle: 'blocks' | 'sliding';
}

/** What a pipeline wants of one layer. Methods refine it one after the other. */
export interface LayerPlan {
  /** Per KV head: kept positions, ascending. */
  readonly tokens: readonly Int32Array[];
  readonly keys: SidePlan;
  readonly values: SidePlan;
  /** Eviction that goes on while decoding; both sides are dense then. */
  readonly decode?: DecodePolicy | undefined;
  /** Where kept keys were moved to positions without gaps: that of the next token in this layer. Undefined: S. */
  readonly nextPosition?: number | undefined;
}

/** Eviction that goes on while decoding, prompt and decoded tokens alike. Made by a method, run by the cache. */
export interface DecodePolicy {
  /** Tokens of a KV head that stay after an eviction, at most. */
  readonly budget: number;
  /**
   * after_attention: a token attends, then tokens go, so that `budget` are stored between steps; before_attention:
   * tokens go, then the new one is added and attends, so that one more is stored, and the prompt as `tokens` has it
   * until the first step.
   */
  readonly evicts: 'after_attention' | 'before_attention';
  /** The policy of one layer, whose KV heads hold these prompt positions. */
  start(positions: readonly Int32Array[]): LayerPolicy;
}

/** Follows one layer of one row. Indices count a KV head's held tokens, oldest first. */
export interface LayerPolicy {
  /** A token has attended to all that is held, itself the newest of it. One entry per KV head. */
  attended(heads: readonly HeadAttention[]): void;
  /** Per KV head: the tokens that go now, ascending indices. They are gone when this returns. */
  evict(): readonly (readonly number[])[];
  /** Bytes of what the policy remembers from one token to the next (attention rows, sums). */
  bytes(): number;
}

/** One token's attention to the n held tokens of a KV head. */
export interface HeadAttention {
  /** `[G, n]`, scaled by 1/√D, before softmax. */
  readonly logits: Float32Array;
  /** `[G, n]`, after softmax. */
  readonly weights: Float32Array;
}

/** Number format of cached entries, scales and channel vectors. float32 is for golden tests. */
export type CacheDtype = 'bfloat16' | 'float32';

/** Bytes of buffers that exist, by what they hold. */
export interface ByteParts {
  readonly value: number;
  readonly mask: number;
  readonly sign: number;
  readonly scale: number;
  /** Positions, and what eviction while decoding remembers of each token. */
  readonly index: number;
  readonly latent: number;
}

/** One layer's packed cache of one row (a sample under one pipeline). */
export interface LayerCache {
  /** Where it is held. */
  readonly memory: KernelMemory;
  /** Prompt tokens kept, per KV head; under a decode policy all tokens that are held now, decoded ones included. */
  readonly kept: readonly number[];
  /** Appends T decoded tokens to the tail; `keys`, `values` are `[T, KV, D]`, keys post-RoPE. */
  append(keys: Float32Array, values: Float32Array, tokens: number): void;
  /**
   * Attention of the last T appended tokens over the packed prompt and the tail, causal among themselves.
   * `queries [T, H, D]` post-RoPE, unscaled; writes `out [T, H, D]`. Logits are scaled by 1/√D.
   */
  attend(queries: Float32Array, tokens: number, out: Float32Array): void;
  /** How many turns the last T appended tokens take: one, or T where what a token reads changes after the one before it. */
  turns(tokens: number): number;
  /** One turn of `attend`, by kernel calls that are done now or written down. `place` is that of all T tokens. */
  attendTurn(turn: number, tokens: number, place: AttentionPlace, work: AttentionWork): void;
  /** What follows when the calls of a turn are done. */
  settleTurn(turn: number, tokens: number): void;
  /** Bytes of what holds tokens of the prompt (the tail is not counted); under a decode policy of everything. */
  bytes(): ByteParts;
  /** Of `bytes()`, those that had not been packed for another cache before. */
  ownBytes(): number;
  /** Bytes of the tail: what holds decoded tokens only. */
  tailBytes(): number;
  /**
   * The slow, obvious reading: per KV head the recovered keys and values of prompt and tail, `[n, D]`. Where a plan has
   * `queryMasks`, a query head reads its own channels of them.
   */
  decode(): { readonly keys: Float32Array[]; readonly values: Float32Array[] };
  /** Gives the buffers back, shared ones once nobody reads them. The cache must not be used afterwards. */
  free(): void;
}
