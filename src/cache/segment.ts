/**
 * What every codec turns one side of one KV head into: runs of packed rows, oldest tokens first.
 *
 * Decides how attention and `decode` see a cache, whatever its codec.
 */
import type { PackedRows } from '../kernels/rows.js';
import type { Pointer } from '../kernels/memory.js';

export interface Segment {
  readonly rows: PackedRows;
  /** Mask of D bits where the rows hold only those channels and the others read as 0; else all are there. */
  readonly columns?: Pointer;
}

/** One side of one KV head, packed. Segments without rows are left out. */
export type PackedSide = readonly Segment[];

/** What a codec is given: one side of one KV head. */
export interface HeadSource {
  /** `[S, D]` float32, as bits. */
  readonly bits: Uint32Array;
  /** `[n]` kept positions, ascending. */
  readonly tokens: Int32Array;
  /** D */
  readonly width: number;
}
