/**
 * The sparse codec: every token keeps channels of its own, pruned ones are recovered (SparK, arXiv 2508.15212).
 *
 * Decides what exists: kept entries, D mask bits per token, and what the recovery needs (signed: D sign bits and a scale
 * per token, a channel vector per head; mean: a scale per token; zero: nothing). Beside signs a kept entry is stored as its
 * difference from the recovery, rounded after it is taken: attention then sums the recovery over all channels at once.
 */
import { bitsOf, EntryWriter, rounded, type EntryFormat } from '../kernels/entries.js';
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
  const subtract = subtractRecovery(head.fill, format);
  forEachKept(source, head.mask, (entries, length, t) => {
    subtract(entries, length, t);
    writer.write(entries.bits, 0, length);
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

/** The kept entries of one token, its channels in ascending order. */
export interface KeptEntries {
  readonly numbers: Float32Array;
  /** The same memory. */
  readonly bits: Uint32Array;
  /** The channel of each. */
  readonly channels: Uint8Array;
}

/** Called for the t-th token with its first `length` entries. */
type KeptVisitor = (entries: KeptEntries, length: number, t: number) => void;

/** Calls `visit` for each token; the entries are used again. */
export function forEachKept({ bits, tokens, width }: HeadSource, mask: Uint8Array, visit: KeptVisitor): void {
  const numbers = new Float32Array(width);
  const entries = { numbers, bits: bitsOf(numbers), channels: new Uint8Array(width) };
  let at = 0;
  for (let t = 0; t < tokens.length; t++) {
    const first = tokens[t]! * width;
    let kept = 0;
    // no branch: masks are as good as random, and an entry that is not kept is overwritten by the next
    for (let j = 0; j < width; j++) {
      entries.bits[kept] = bits[first + j]!;
      entries.channels[kept] = j;
      kept += mask[at++]!;
    }
    visit(entries, kept, t);
  }
}

/** Turns kept entries into their differences from the recovery, `entry − sign · scale_t · channel_j`, as float32. */
function subtractRecovery(fill: Fill, format: EntryFormat): KeptVisitor {
  if (fill.kind !== 'signed') return () => undefined;
  const scales = rounded(fill.scale, format);
  const channel = rounded(fill.channel, format);
  return ({ numbers, bits, channels }, length, t) => {
    const scale = scales[t]!;
    for (let i = 0; i < length; i++) {
      const recovery = Math.fround(scale * channel[channels[i]!]!);
      numbers[i] = numbers[i]! + (1 - 2 * signOf(bits[i]!)) * recovery;
    }
  };
}

/** 1 if a float32 number is above 0, else 0. */
function signOf(bits: number): number {
  return Number((bits - 1) >>> 0 < 0x7f80_0000); // no branch: signs are as good as random
}

/** One bit per entry of the kept tokens, eight to a byte. */
function packSigns({ bits, tokens, width }: HeadSource, out: Uint8Array): void {
  let at = 0;
  for (let t = 0; t < tokens.length; t++) {
    const end = (tokens[t]! + 1) * width;
    for (let from = end - width; from < end; from += 8) {
      let byte = 0;
      for (let i = 7; i >= 0; i--) byte = (byte << 1) | signOf(bits[from + i]!);
      out[at++] = byte;
    }
  }
}
