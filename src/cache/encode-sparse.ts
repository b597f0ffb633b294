/**
 * The sparse codec: every token keeps channels of its own, pruned ones are recovered (SparK, arXiv 2508.15212).
 *
 * Decides what exists: kept entries, D mask bits per token, and what the recovery needs (signed: a sign bit per pruned
 * entry, a scale per token, a channel vector per head; mean: a scale per token; zero: nothing).
 */
import { bitsOf, EntryWriter } from '../kernels/entries.js';
import type { PackedFill, Pointer } from '../kernels/index.js';
import { countKept } from './bytes.js';
import { packBits } from './pack-bits.js';
import type { PackedBuffers } from './packed-buffers.js';
import type { HeadSource, PackedSide } from './segment.js';
import type { Fill, SparseHead } from './types.js';

/** @param channel the packed channel vector, where it is there already */
export function encodeSparse(
  source: HeadSource,
  head: SparseHead,
  buffers: PackedBuffers,
  channel?: Pointer,
): PackedSide {
  const { memory, format } = buffers;
  const { width } = source;
  const count = source.tokens.length;
  if (count === 0) return [];
  const kept = countKept(head.mask);
  const entries = buffers.allocEntries('value', kept);
  const packed = packPattern(source, head, buffers, channel);
  const writer = new EntryWriter(memory, format, entries, kept);
  forEachKept(source, head.mask, (row, length) => {
    writer.write(row, 0, length);
  });
  return [{ rows: { kind: 'sparse', format, count, width, entries, ...packed } }];
}

/** All but the kept entries: masks, and what the recovery needs. */
export function packPattern(
  source: HeadSource,
  { mask, fill }: SparseHead,
  buffers: PackedBuffers,
  channel?: Pointer,
): { readonly masks: Pointer; readonly fill: PackedFill } {
  const { memory } = buffers;
  const pruned = mask.length - countKept(mask);
  const masks = buffers.alloc('mask', mask.length / 8);
  const packed = packFill(fill, pruned, buffers, channel);
  packBits(mask, memory.bytes(masks, mask.length / 8));
  if (packed.kind === 'signed') {
    packBits(signsOfPruned(source, mask, pruned), memory.bytes(packed.signs, Math.ceil(pruned / 8)));
  }
  return { masks, fill: packed };
}

/** Buffers of the recovery, scales and channel vector filled in. */
function packFill(fill: Fill, pruned: number, buffers: PackedBuffers, channel?: Pointer): PackedFill {
  if (fill.kind === 'zero') return { kind: 'zero' };
  const scales = packScales(fill.scale, buffers);
  if (fill.kind === 'mean') return { kind: 'mean', scales };
  return {
    kind: 'signed',
    scales,
    channel: channel ?? packScales(fill.channel, buffers),
    signs: buffers.alloc('sign', Math.ceil(pruned / 8)),
  };
}

export function packScales(numbers: Float32Array, buffers: PackedBuffers): Pointer {
  const pointer = buffers.allocEntries('scale', numbers.length);
  new EntryWriter(buffers.memory, buffers.format, pointer, numbers.length).write(
    bitsOf(numbers),
    0,
    numbers.length,
  );
  return pointer;
}

/** Calls `visit` with the kept entries of each token, the first `length` of `row`, which is used again. */
export function forEachKept(
  { bits, tokens, width }: HeadSource,
  mask: Uint8Array,
  visit: (row: Uint32Array, length: number) => void,
): void {
  const row = new Uint32Array(width);
  let at = 0;
  for (const position of tokens) {
    let kept = 0;
    // no branch: masks are as good as random, and an entry that is not kept is overwritten by the next
    for (let from = position * width; from < (position + 1) * width; from++) {
      row[kept] = bits[from]!;
      kept += mask[at++]!;
    }
    visit(row, kept);
  }
}

/** Per pruned entry in order: 1 if it is above 0, else 0. */
function signsOfPruned({ bits, tokens, width }: HeadSource, mask: Uint8Array, pruned: number): Uint8Array {
  const signs = new Uint8Array(pruned + 1);
  let at = 0;
  let next = 0;
  for (const position of tokens) {
    for (let from = position * width; from < (position + 1) * width; from++) {
      const word = bits[from]!;
      signs[next] = Number(word > 0 && word <= 0x7f80_0000);
      next += 1 - mask[at++]!;
    }
  }
  return signs.subarray(0, pruned);
}
