/**
 * The channels codec: all tokens but the newest hold the same T channels (ThinK, arXiv 2407.21018).
 *
 * A mask of D bits, `[n − recent, T]` narrow rows, `[recent, D]` dense ones; pruned channels read as 0.
 */
import { entriesAt } from '../../kernels/entries.js';
import { entriesOf } from '../../kernels/rounding.js';
import type { DenseRows, Pointer } from '../../kernels/index.js';
import { countKept } from '../bytes.js';
import { encodeDense } from './dense.js';
import { packBits } from './pack-bits.js';
import type { PackedBuffers } from '../packed-buffers.js';
import type { HeadSource, PackedSide, Segment } from '../rows/segment.js';

/** The masks of one KV head. */
export interface HeadMasks {
  /** `[D]`, 1 = kept */
  readonly mask: Uint8Array;
  /** `[G]` of `[D]`: what each query head reads of it; without them, all. */
  readonly queryMasks?: readonly Uint8Array[] | undefined;
}

/** Packed masks, as segments name them. */
export type Columns = Required<Pick<Segment, 'columns'>> & Pick<Segment, 'queryMasks'>;

/** @param recent newest kept tokens that stay dense, all of them where n ≤ recent */
export function encodeChannels(
  source: HeadSource,
  masks: HeadMasks,
  recent: number,
  buffers: PackedBuffers,
): PackedSide {
  const count = Math.max(0, source.tokens.length - recent);
  const newest = encodeDense({ ...source, tokens: source.tokens.subarray(count) }, buffers);
  if (count === 0) return newest;
  const older = { ...source, tokens: source.tokens.subarray(0, count) };
  const columns = encodeMasks(masks, source.width, buffers);
  return [{ rows: encodeNarrow(older, masks.mask, buffers), ...columns }, ...newest];
}

export function encodeMasks({ mask, queryMasks }: HeadMasks, width: number, buffers: PackedBuffers): Columns {
  const columns = packMasks([mask], width, buffers);
  return queryMasks === undefined
    ? { columns }
    : { columns, queryMasks: packMasks(queryMasks, width, buffers) };
}

function packMasks(masks: readonly Uint8Array[], width: number, buffers: PackedBuffers): Pointer {
  const pointer = buffers.alloc('mask', (masks.length * width) / 8);
  masks.forEach((mask, g) => {
    packBits(mask, buffers.memory.bytes(pointer + (g * width) / 8, width / 8));
  });
  return pointer;
}

function encodeNarrow(
  { bits, entries, tokens, width }: HeadSource,
  mask: Uint8Array,
  buffers: PackedBuffers,
): DenseRows {
  const { memory, format } = buffers;
  const count = tokens.length;
  const kept = countKept(mask);
  const from = entries?.() ?? entriesOf(bits, format);
  const columns = Uint8Array.from(mask.keys()).filter((j) => mask[j] === 1);
  const pointer = buffers.allocEntries('value', count * kept);
  const to = entriesAt(memory, format, pointer, count * kept);
  let at = 0;
  for (const position of tokens) {
    const row = position * width;
    for (let i = 0; i < kept; i++) to[at++] = from[row + columns[i]!]!;
  }
  return { kind: 'dense', format, count, width: kept, entries: pointer };
}
