/**
 * Quantised storage of sparse sides: the kept entries of each token are codes, in groups of its own (SparK before KIVI).
 *
 * Masks, signs and scales stay as they are. Decoded tokens, whose saliency nobody computed, stay dense.
 * Alphabet: n tokens, D width, T kept entries of a token.
 */
import { bitsOf, EntryWriter } from '../../kernels/entries.js';
import type { Kernels } from '../../kernels/index.js';
import { packKept } from '../../kernels/packing.js';
import { countKept } from '../bytes.js';
import type { PackedBuffers } from '../packed-buffers.js';
import { encodeSparse, packPattern, packScales } from './sparse.js';
import { packCodes } from './pack-codes.js';
import { quantiseGroup, settledTokens } from './quantise.js';
import { quantisedSparseRows } from '../rows/quantised-sparse-rows.js';
import type { HeadSource, PackedSide } from '../rows/segment.js';
import type { Fill, Precision, SparseHead } from '../types.js';

/** The prompt of one KV head, its older tokens quantised. */
export function encodeQuantisedSparse(
  source: HeadSource,
  head: SparseHead,
  precision: Precision,
  buffers: PackedBuffers,
  kernels: Kernels,
): PackedSide {
  const { tokens, width } = source;
  const n = tokens.length;
  if (n === 0) return [];
  const settled = settledTokens(precision, n);
  const channel = head.fill.kind === 'signed' ? packScales(head.fill.channel, buffers) : undefined;
  const newest = { ...source, tokens: tokens.subarray(settled) };
  const dense = encodeSparse(newest, partOf(head, settled, n, width), buffers, channel);
  if (settled === 0) return dense;

  const older = { ...source, tokens: tokens.subarray(0, settled) };
  const oldest = partOf(head, 0, settled, width);
  const { codes, ranges } = quantiseKept(older, oldest.mask, precision, buffers);
  const packed = {
    ...packPattern(older, oldest, buffers, channel),
    format: buffers.format,
    bits: precision.bits,
    group: Math.min(precision.group, width),
    width,
    codes: buffers.alloc('value', codes.length),
    scales: buffers.allocEntries('scale', ranges.length),
  };
  buffers.memory.bytes(packed.codes, codes.length).set(codes);
  const writer = new EntryWriter(buffers.memory, buffers.format, packed.scales, ranges.length);
  writer.write(bitsOf(ranges), 0, ranges.length);
  return [{ rows: quantisedSparseRows(kernels, packed, settled) }, ...dense];
}

/** Tokens `from … to − 1`. */
function partOf({ mask, fill }: SparseHead, from: number, to: number, width: number): SparseHead {
  return { mask: mask.subarray(from * width, to * width), fill: fillOf(fill, from, to) };
}

function fillOf(fill: Fill, from: number, to: number): Fill {
  return fill.kind === 'zero' ? fill : { ...fill, scale: fill.scale.subarray(from, to) };
}

/** The packed codes of all kept entries, and the scale and the minimum of each group. */
function quantiseKept(
  source: HeadSource,
  mask: Uint8Array,
  { bits, group }: Precision,
  { format }: PackedBuffers,
): { readonly codes: Uint8Array; readonly ranges: Float32Array } {
  const codes = new Uint8Array(source.width);
  const packed = new Uint8Array(mask.length); // [n, D] bytes are more than T codes of each token need
  const kept = new Float32Array(countKept(mask));
  packKept(source, mask, undefined, 'float32', bitsOf(kept));
  const ranges: number[] = [];
  let [next, end] = [0, 0];
  for (let t = 0; t < source.tokens.length; t++) {
    const length = countKept(mask.subarray(t * source.width, (t + 1) * source.width));
    const numbers = kept.subarray(next, (next += length));
    for (let first = 0; first < length; first += group) {
      const count = Math.min(group, length - first);
      const { scale, minimum } = quantiseGroup(numbers, { first, step: 1, count }, bits, format, codes);
      ranges.push(scale, minimum);
      packCodes(codes.subarray(first, first + count), bits, packed.subarray(end));
      end += Math.ceil((count * bits) / 8);
    }
  }
  return { codes: packed.subarray(0, end), ranges: Float32Array.from(ranges) };
}
