/**
 * Packed rows, as the kernels read them: n rows of D numbers in buffers of the kernels' memory.
 *
 * Decides the two layouts (their bit order is in `assembly/sparse.ts`). Knows nothing of heads or caches.
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
  /** Kept entries, row after row. */
  readonly entries: Pointer;
  /** `[n, D/8]` bytes; bit j & 7 of byte j >> 3 is 1 where channel j is kept. */
  readonly masks: Pointer;
  readonly fill: PackedFill;
}

/** What pruned entries read as; pointers to buffers in the rows' format. */
export type PackedFill =
  | { readonly kind: 'zero' }
  /** `sign · scale_t · channel_j`; signs: one bit per pruned entry, row after row, lowest bit first, 1 = positive. */
  | { readonly kind: 'signed'; readonly signs: Pointer; readonly scales: Pointer; readonly channel: Pointer }
  /** `scale_t` */
  | { readonly kind: 'mean'; readonly scales: Pointer };

export type PackedRows = DenseRows | SparseRows;
