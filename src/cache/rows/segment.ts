/**
 * What every codec turns one side of one KV head into: runs of packed rows, oldest tokens first.
 *
 * Attention and `decode` see a cache as such runs, whatever its codec.
 */
import type { Entries } from '../../kernels/entries.js';
import type { Kernels } from '../../kernels/index.js';
import type { PickedRows } from '../../kernels/packing.js';
import type { PackedRows } from '../../kernels/rows.js';
import type { Pointer } from '../../kernels/memory.js';

export interface Segment {
  readonly rows: PackedRows | ExpandedRows;
  /** Mask of D bits where the rows hold only those channels and the others read as 0; else all are there. */
  readonly columns?: Pointer;
  /** `[G, D/8]` masks of D bits: the columns that each query head of the group reads. */
  readonly queryMasks?: Pointer;
}

/** Rows in a form that no kernel reads: they are written out as float32, a block at a time. */
export interface ExpandedRows {
  readonly kind: 'expanded';
  /** n */
  readonly count: number;
  readonly width: number;
  /** Bytes that `expand` needs beside what it writes. */
  readonly scratchBytes?: number;
  /** Writes rows `from … from + count − 1` to `out`, `[count, width]` float32, by calls of these kernels alone. */
  expand(kernels: Kernels, from: number, count: number, out: Pointer, scratch: Pointer): void;
  /** The same of all rows, the slow, obvious way, `[n, width]`. */
  decode(): Float32Array;
}

/** One side of one KV head, packed. Segments without rows are left out. */
export type PackedSide = readonly Segment[];

/** What a codec is given: one side of one KV head. */
export interface HeadSource extends PickedRows {
  /** The same in the cache's format, where it is shared by many caches. */
  readonly entries?: () => Entries;
}
