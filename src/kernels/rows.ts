/**
 * Packed rows, as the kernels read them: n rows of D numbers in buffers of the kernels' memory.
 *
 * Two layouts serve all codecs (their bit order is in `assembly/sparse.ts`).
 */
import type { EntryFormat } from './entries.js';
import type { Pointer } from './memory.js';

export interface DenseRows {
  readonly kind: 'dense';
  readonly format: EntryFormat;
  /** n */
  readonly count: number;
  /** D, 0 to 256. */
  readonly width: number;
  /** `[n, D]` */
  readonly entries: Pointer;
}

export interface SparseRows {
  readonly kind: 'sparse';
  readonly format: EntryFormat;
  readonly count: number;
  /** D, a multiple of 8 up to 256. */
  readonly width: number;
  /** Kept entries, row after row; with signs, what they are more than their recovery. */
  readonly entries: Pointer;
  /** `[n, D/8]` bytes; bit j & 7 of byte j >> 3 is 1 where channel j is kept. */
  readonly masks: Pointer;
  readonly fill: PackedFill;
}

/** What pruned entries read as; pointers to buffers in the rows' format. */
export type PackedFill =
  | { readonly kind: 'zero' }
  /** `sign · scale_t · channel_j`; signs: one bit per entry, kept or pruned, in the order of masks, 1 = positive. */
  | { readonly kind: 'signed'; readonly signs: Pointer; readonly scales: Pointer; readonly channel: Pointer }
  /** `scale_t` */
  | { readonly kind: 'mean'; readonly scales: Pointer };

export type PackedRows = DenseRows | SparseRows;

/** Rows of D numbers that are kept as latents: row t is `bias + latent · up`, with `latent` one of n. */
export interface LatentRows {
  readonly format: EntryFormat;
  /** r */
  readonly rank: number;
  /** `[n − skip, r]`: the latents from the `skip`-th on. */
  readonly entries: Pointer;
  readonly skip: number;
  /** Which latent each row has, u32; 0: row t has the t-th. */
  readonly rows: Pointer;
  /** `[r, D]` float32 */
  readonly up: Pointer;
  /** `[D]` float32; 0: none. */
  readonly bias: Pointer;
  /** D, a multiple of 8. */
  readonly width: number;
  readonly rotation: LatentRotation | undefined;
}

/** RoPE of rebuilt rows. */
export interface LatentRotation {
  /** Position of each latent, u32; 0: its index. */
  readonly positions: Pointer;
  /** `[positions, D]` float32: D/2 cosines, then D/2 sines of each position. */
  readonly table: Pointer;
}

/** b-bit codes and what they stand for: `code · scale + minimum`. The packed order is in `assembly/quantised.ts`. */
export interface Codes {
  /** Of scales and minima. */
  readonly format: EntryFormat;
  readonly bits: 2 | 4 | 8;
  /** Entries of a token, or tokens of a channel, that share a scale and a minimum. */
  readonly group: number;
  readonly codes: Pointer;
  readonly scales: Pointer;
}

/** `[n, D]` codes. */
export interface QuantisedRows extends Codes {
  readonly along: 'token' | 'channel';
  readonly width: number;
}

/** Sparse rows whose kept entries, themselves even with signs, are codes along tokens; the format is also that of the fill. */
export interface QuantisedSparseRows extends Codes {
  readonly width: number;
  readonly masks: Pointer;
  readonly fill: PackedFill;
}

/** Where a token of `QuantisedSparseRows` begins: what all tokens before it take. */
export interface SparsePlace {
  readonly tokens: number;
  readonly codeBytes: number;
  readonly groups: number;
}

/** Bytes of the codes of `width` entries of one token, in groups. */
export function tokenCodeBytes(width: number, group: number, bits: number): number {
  const whole = Math.floor(width / group);
  return whole * Math.ceil((group * bits) / 8) + Math.ceil(((width - whole * group) * bits) / 8);
}
