/**
 * The sparse codec: every token keeps channels of its own, pruned ones are recovered (SparK, arXiv 2508.15212).
 *
 * Decides what exists: kept entries, D mask bits per token, and what the recovery needs (signed: a sign bit per pruned
 * entry, a scale per token, a channel vector per head; mean: a scale per token; zero: nothing).
 */
import { bitsOf, EntryWriter } from '../kernels/entries.js';
import type { PackedFill } from '../kernels/rows.js';
import { countKept } from './bytes.js';
import { packBits } from './pack-bits.js';
import type { PackedBuffers } from './packed-buffers.js';
import type { HeadSource, PackedSide } from './segment.js';
import type { Fill, SparseHead } from './types.js';

export function encodeSparse(
  source: HeadSource,
  { mask, fill }: SparseHead,
  buffers: PackedBuffers,
): PackedSide {
  const { memory, format } = buffers;
  const { width } = source;
  const count = source.tokens.length;
  if (count === 0) return [];
  const kept = countKept(mask);
  const pruned = mask.length - kept;
  const entries = buffers.allocEntries('value', kept);
  const masks = buffers.alloc('mask', mask.length / 8);
  const packedFill = packFill(fill, pruned, buffers);
  packBits(mask, memory.bytes(masks, mask.length / 8));
  writeKept(source, mask, new EntryWriter(memory, format, entries, kept));
  if (packedFill.kind === 'signed') {
    packBits(signsOfPruned(source, mask, pruned), memory.bytes(packedFill.signs, Math.ceil(pruned / 8)));
  }
  return [{ rows: { kind: 'sparse', format, count, width, entries, masks, fill: packedFill } }];
}

/** Buffers of the recovery, scales and channel vector filled in. */
function packFill(fill: Fill, pruned: number, buffers: PackedBuffers): PackedFill {
  if (fill.kind === 'zero') return { kind: 'zero' };
  const scales = packScales(fill.scale, buffers);
  if (fill.kind === 'mean') return { kind: 'mean', scales };
  const channel = packScales(fill.channel, buffers);
  return { kind: 'signed', scales, channel, signs: buffers.alloc('sign', Math.ceil(pruned / 8)) };
}

function packScales(numbers: Float32Array, buffers: PackedBuffers): number {
  const pointer = buffers.allocEntries('scale', numbers.length);
  new EntryWriter(buffers.memory, buffers.format, pointer, numbers.length).write(
    bitsOf(numbers),
    0,
    numbers.length,
  );
  return pointer;
}

function writeKept({ bits, tokens, width }: HeadSource, mask: Uint8Array, writer: EntryWriter): void {
  const row = new Uint32Array(width);
  let at = 0;
  for (const position of tokens) {
    let kept = 0;
    // no branch: masks are as good as random, and an entry that is not kept is overwritten by the next
    for (let from = position * width; from < (position + 1) * width; from++) {
      row[kept] = bits[from]!;
      kept += mask[at++]!;
    }
    writer.write(row, 0, kept);
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
