/**
 * The slow, obvious reading of packed rows, entry by entry and bit by bit, without the kernels.
 *
 * It says what each codec means, a second time, and the kernels are tested against it.
 * Alphabet: n tokens, D width, T kept channels.
 */
import { concatenate } from '../base/concatenate.js';
import type { EntryFormat } from '../kernels/entries.js';
import type { KernelMemory, Pointer } from '../kernels/memory.js';
import type { PackedFill, SparseRows } from '../kernels/rows.js';
import { bitAt } from './encode/pack-bits.js';
import type { PackedSide, Segment } from './rows/segment.js';

/** All rows of one side of one KV head, `[n, D]`. */
export function decodeSide(memory: KernelMemory, side: PackedSide, width: number): Float32Array {
  return concatenate(side.map((segment) => decodeSegment(memory, segment, width)));
}

function decodeSegment(memory: KernelMemory, { rows, columns }: Segment, width: number): Float32Array {
  if (rows.kind === 'sparse') return decodeSparse(memory, rows);
  const entries =
    rows.kind === 'expanded'
      ? rows.decode()
      : readEntries(memory, rows.format, rows.entries, rows.count * rows.width);
  if (columns === undefined) return entries;
  return spread(entries, memory.bytes(columns, width / 8), rows.count, width);
}

/** `[n, T]` → `[n, D]`, zeros in the columns that are not there. */
function spread(entries: Float32Array, mask: Uint8Array, count: number, width: number): Float32Array {
  const out = new Float32Array(count * width);
  let next = 0;
  for (let i = 0; i < out.length; i++) if (bitAt(mask, i % width) === 1) out[i] = entries[next++]!;
  return out;
}

function decodeSparse(memory: KernelMemory, rows: SparseRows): Float32Array {
  const kept = readEntries(memory, rows.format, rows.entries, keptEntries(memory, rows));
  return recoverPlainly(memory, rows, kept, rows.fill.kind === 'signed');
}

/** Ones in the masks of n rows. */
export function keptEntries(
  memory: KernelMemory,
  rows: Pick<SparseRows, 'masks' | 'count' | 'width'>,
): number {
  const bits = rows.count * rows.width;
  const mask = memory.bytes(rows.masks, bits / 8);
  let kept = 0;
  for (let i = 0; i < bits; i++) kept += bitAt(mask, i);
  return kept;
}

/** Sparse rows `[n, D]` of their kept entries, in order, or of the differences of those from the recovery. */
export function recoverPlainly(
  memory: KernelMemory,
  rows: Omit<SparseRows, 'kind' | 'entries'>,
  entries: Float32Array,
  areDifferences: boolean,
): Float32Array {
  const { count, width, format } = rows;
  const total = count * width;
  const mask = memory.bytes(rows.masks, total / 8);
  const recovered = recoveryOf(memory, rows.fill, format, count, width);
  const out = new Float32Array(total);
  let next = 0;
  for (let i = 0; i < total; i++) {
    if (bitAt(mask, i) === 0) out[i] = recovered(i);
    else out[i] = entries[next++]! + (areDifferences ? recovered(i) : 0);
  }
  return out;
}

/** The recovery of entry i of `[n, D]`, a float32 number. */
type Recovery = (i: number) => number;

function recoveryOf(
  memory: KernelMemory,
  fill: PackedFill,
  format: EntryFormat,
  count: number,
  width: number,
): Recovery {
  if (fill.kind === 'zero') return () => 0;
  const scales = readEntries(memory, format, fill.scales, count);
  if (fill.kind === 'mean') return (i) => scales[Math.floor(i / width)]!;
  const channel = readEntries(memory, format, fill.channel, width);
  const signs = memory.bytes(fill.signs, (count * width) / 8);
  return (i) =>
    (bitAt(signs, i) === 1 ? 1 : -1) * Math.fround(scales[Math.floor(i / width)]! * channel[i % width]!);
}

/** `count` entries as float32. */
export function readEntries(
  memory: KernelMemory,
  format: EntryFormat,
  pointer: Pointer,
  count: number,
): Float32Array {
  if (format === 'float32') return memory.floats(pointer, count).slice();
  const out = new Float32Array(count);
  const bits = new Uint32Array(out.buffer);
  memory.halves(pointer, count).forEach((half, i) => (bits[i] = half * 0x1_0000));
  return out;
}
