/**
 * The channels codec where it holds for every token, decoded ones included (value pruning of ThinK, arXiv 2407.21018).
 *
 * Such a side is T channels wide from the first token to the last, decoded ones included, and is read through the head's
 * mask.
 * Alphabet: T kept channels, KV, D.
 */
import type { Kernels } from '../../kernels/index.js';
import { countKept } from '../bytes.js';
import { encodeMasks, type Columns, type HeadMasks } from './channels.js';
import { encodeDense } from './dense.js';
import { encodeQuantised, prune } from './quantised.js';
import type { PackedBuffers } from '../packed-buffers.js';
import { narrow } from '../rows/quantised-run.js';
import type { HeadSource, PackedSide } from '../rows/segment.js';
import { Tail, type SideTail } from '../rows/tail.js';
import type { Precision } from '../types.js';

export interface PrunedSource extends HeadSource {
  readonly masks: HeadMasks;
}

/** One side, all KV heads: the prompt, and the tail, which holds the prompt too where there is a precision. */
export function encodePruned(
  heads: readonly PrunedSource[],
  precision: Precision | undefined,
  buffers: PackedBuffers,
  kernels: Kernels,
): { readonly prompt: PackedSide[]; readonly tail: SideTail } {
  const prompt: PackedSide[] = [];
  const tails = heads.map(({ masks, ...source }): PrunedHead => {
    const columns = encodeMasks(masks, source.width, buffers);
    const pruned = prune(source, masks.mask); // [n, T]
    prompt.push(precision === undefined ? through(columns, encodeDense(pruned, buffers)) : []);
    const rows =
      precision === undefined
        ? new Tail(buffers.memory, buffers.format, 1, countKept(masks.mask))
        : encodeQuantised([{ ...pruned, recent: 0 }], precision, buffers, kernels);
    return { mask: masks.mask, columns, rows };
  });
  return { prompt, tail: new PrunedTail(tails) };
}

interface PrunedHead {
  /** `[D]` */
  readonly mask: Uint8Array;
  readonly columns: Columns;
  /** A side of one KV head of width T. */
  readonly rows: SideTail;
}

class PrunedTail implements SideTail {
  constructor(private readonly heads: readonly PrunedHead[]) {}

  get length(): number {
    return this.heads[0]!.rows.length;
  }

  get settles(): boolean {
    return this.heads[0]!.rows.settles;
  }

  append(rows: Float32Array, tokens: number): void {
    const width = this.heads[0]!.mask.length; // D
    this.heads.forEach((head, h) => {
      const mine = new Float32Array(tokens * width); // [T, D]
      for (let t = 0; t < tokens; t++) {
        const from = (t * this.heads.length + h) * width;
        mine.set(rows.subarray(from, from + width), t * width);
      }
      head.rows.append(narrow(mine, head.mask), tokens);
    });
  }

  side(head: number, tokens: number): PackedSide {
    const { columns, rows } = this.heads[head]!;
    return through(columns, rows.side(0, tokens));
  }

  settle(tokens: number): void {
    for (const { rows } of this.heads) rows.settle(tokens);
  }

  bytes(): number {
    return this.heads.reduce((total, { rows }) => total + rows.bytes(), 0);
  }

  free(): void {
    for (const { rows } of this.heads) rows.free();
  }
}

/** Rows of width T as channels of D. */
function through(columns: Columns, side: PackedSide): PackedSide {
  return side.map((segment) => ({ ...segment, ...columns }));
}
