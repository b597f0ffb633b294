/**
 * What passes between prefill, methods and caches: traces, observations, plans, byte counts.
 *
 * Decides the shapes. Knows neither models nor methods.
 * Alphabet: H query heads, KV key/value heads, G = H/KV, S cached tokens, D head width, W window.
 */

/** Something that a method wants measured during the one prefill; nothing is computed unless asked for. */
export type Observation =
  /** Post-RoPE queries of the last `w = min(window, S)` positions, `[H, w, D]`. */
  | { readonly kind: 'window_queries'; readonly window: number }
  /** Causal softmax attention of the last `w` queries to all keys, mean over the w rows, `[H, S]`. */
  | { readonly kind: 'window_attention'; readonly window: number };

/** A stable name of an observation; equal observations have equal keys. */
export function observationKey(observation: Observation): string {
  return `${observation.kind}:${observation.window}`;
}

export interface LayerShape {
  readonly layer: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** S: prompt tokens cached by this layer. */
  readonly length: number;
}

/** One layer after its attention over the full prompt. Keys are post-RoPE. Row-major. */
export interface LayerTrace extends LayerShape {
  /** `[KV, S, D]` */
  readonly keys: Float32Array;
  /** `[KV, S, D]` */
  readonly values: Float32Array;
  /** By `observationKey`. */
  readonly observations: ReadonlyMap<string, Float32Array>;
}

/** What stands in for pruned entries when attention reads a sparse row. */
export type Fill =
  /** Pruned entries read as 0; no sign, no scale is stored. */
  | { readonly kind: 'zero' }
  /** `sign(x_tj) · scale_t · channel_j` (SparK's degenerate recovery); sign(0) = −1. One sign bit each, one scale per token. */
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
export type SidePlan =
  | { readonly codec: 'dense' }
  /** One channel mask `[D]` (1 = kept) per KV head; the newest `recent` kept tokens stay dense. */
  | { readonly codec: 'channels'; readonly masks: readonly Uint8Array[]; readonly recent: number }
  | { readonly codec: 'sparse'; readonly heads: readonly SparseHead[] };

/** What a pipeline wants of one layer. Methods refine it one after the other. */
export interface LayerPlan {
  /** Per KV head: kept positions, ascending. */
  readonly tokens: readonly Int32Array[];
  readonly keys: SidePlan;
  readonly values: SidePlan;
}

/** Number format of cached entries, scales and channel vectors. float32 is for golden tests. */
export type CacheDtype = 'bfloat16' | 'float32';

/** Bytes of buffers that exist, by what they hold. */
export interface ByteParts {
  readonly value: number;
  readonly mask: number;
  readonly sign: number;
  readonly scale: number;
  readonly index: number;
  readonly latent: number;
}

/** One layer's packed cache of one row (a sample under one pipeline). */
export interface LayerCache {
  /** Prompt tokens kept, per KV head. */
  readonly kept: readonly number[];
  /** Appends T decoded tokens to the dense tail; `keys`, `values` are `[T, KV, D]`, keys post-RoPE. */
  append(keys: Float32Array, values: Float32Array, tokens: number): void;
  /**
   * Attention of the last T appended tokens over the packed prompt and the tail, causal among themselves.
   * `queries [T, H, D]` post-RoPE, unscaled; writes `out [T, H, D]`. Logits are scaled by 1/√D.
   */
  attend(queries: Float32Array, tokens: number, out: Float32Array): void;
  /** Bytes of the compressed prompt (the tail is not counted). */
  bytes(): ByteParts;
  /** Bytes of the dense tail. */
  tailBytes(): number;
  /** The slow, obvious reading: per KV head the recovered keys and values of prompt and tail, `[n, D]`. */
  decode(): { readonly keys: Float32Array[]; readonly values: Float32Array[] };
  /** Gives the buffers back. The cache must not be used afterwards. */
  free(): void;
}
