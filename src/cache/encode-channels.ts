/**
 * The channels codec: all tokens but the newest hold the same T channels (ThinK, arXiv 2407.21018).
 *
 * Decides the layout: a D-bit mask, `[n − recent, T]` narrow rows, `[recent, D]` dense ones. Pruned channels read as 0.
 */
import { EntryWriter } from '../kernels/entries.js';
import { countKept } from './bytes.js';
import { encodeDense } from './encode-dense.js';
import { packBits } from './pack-bits.js';
import type { PackedBuffers } from './packed-buffers.js';
import type { HeadSource, PackedSide, Segment } from './segment.js';

/** @param mask `[D]`, 1 = kept; @param recent newest kept tokens that stay dense, all of them where n ≤ recent */
export function encodeChannels(
  source: HeadSource,
  mask: Uint8Array,
  recent: number,
  buffers: PackedBuffers,
): PackedSide {
  const count = Math.max(0, source.tokens.length - recent);
  const newest = encodeDense({ ...source, tokens: source.tokens.subarray(count) }, buffers);
  if (count === 0) return newest;
  return [encodeNarrow({ ...source, tokens: source.tokens.subarray(0, count) }, mask, buffers), ...newest];
}

function encodeNarrow(
  { bits, tokens, width }: HeadSource,
  mask: Uint8Array,
  buffers: PackedBuffers,
): Segment {
  const { memory, format } = buffers;
  const count = tokens.length;
  const kept = countKept(mask);
  const columns = buffers.alloc('mask', width / 8);
  const entries = buffers.allocEntries('value', count * kept);
  packBits(mask, memory.bytes(columns, width / 8));
  const writer = new EntryWriter(memory, format, entries, count * kept);
  const row = new Uint32Array(kept);
  for (const position of tokens) {
    let next = 0;
    for (let j = 0; j < width; j++) if (mask[j] === 1) row[next++] = bits[position * width + j]!;
    writer.write(row, 0, kept);
  }
  return { rows: { kind: 'dense', format, count, width: kept, entries }, columns };
}
