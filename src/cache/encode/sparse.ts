/**
 * The sparse codec: every token keeps channels of its own, pruned ones are recovered (SparK, arXiv 2508.15212).
 *
 * Beside signs a kept entry is stored as its difference from the recovery: attention then sums the recovery over all
 * channels at once.
 */
import { bitsOf, entriesAt, EntryWriter, rounded, type EntryFormat } from '../../kernels/entries.js';
import type { PackedFill, Pointer } from '../../kernels/index.js';
import { packKept, packSigns, type SignedRecovery } from '../../kernels/packing.js';
import { countKept } from '../bytes.js';
import { packBits } from './pack-bits.js';
import type { PackedBuffers } from '../packed-buffers.js';
import type { HeadSource, PackedSide } from '../rows/segment.js';
import type { Fill, SparseHead } from '../types.js';

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
  packKept(
    source,
    head.mask,
    recoveryOf(head.fill, format),
    format,
    entriesAt(memory, format, entries, kept),
  );
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
  const bytes = mask.length / 8;
  const masks = buffers.alloc('mask', bytes);
  const packed = packFill(fill, bytes, buffers, channel);
  packBits(mask, memory.bytes(masks, bytes));
  if (packed.kind === 'signed') packSigns(source, memory.bytes(packed.signs, bytes));
  return { masks, fill: packed };
}

/** Buffers of the recovery, scales and channel vector filled in. */
function packFill(fill: Fill, signBytes: number, buffers: PackedBuffers, channel?: Pointer): PackedFill {
  if (fill.kind === 'zero') return { kind: 'zero' };
  const scales = packScales(fill.scale, buffers);
  if (fill.kind === 'mean') return { kind: 'mean', scales };
  return {
    kind: 'signed',
    scales,
    channel: channel ?? packScales(fill.channel, buffers),
    signs: buffers.alloc('sign', signBytes),
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

/** The recovery as it is stored, which is what kept entries are taken off from. */
function recoveryOf(fill: Fill, format: EntryFormat): SignedRecovery | undefined {
  if (fill.kind !== 'signed') return undefined;
  return { scales: rounded(fill.scale, format), channel: rounded(fill.channel, format) };
}
