/**
 * Rows of codes that grow up to a capacity: `[n, D]` entries of one run of tokens of one KV head.
 *
 * All buffers are there from the start, in the order that `kernels/assembly/quantised.ts` reads.
 */
import { bitsOf, EntryWriter, entryBytes } from '../../kernels/entries.js';
import type { Kernels, Pointer } from '../../kernels/index.js';
import { tokenCodeBytes, type QuantisedRows as Packed } from '../../kernels/rows.js';
import { readEntries } from '../decode.js';
import { codeAt, packCodes } from '../encode/pack-codes.js';
import type { PackedBuffers } from '../packed-buffers.js';
import { quantiseGroup, type Group } from '../encode/quantise.js';
import type { ExpandedRows } from './segment.js';
import type { Precision } from '../types.js';

export class QuantisedRows implements ExpandedRows {
  readonly kind = 'expanded';
  /** Rows written so far. */
  count = 0;
  private readonly packed: Packed;

  constructor(
    private readonly kernels: Kernels,
    buffers: PackedBuffers,
    { bits, along, group: wanted }: Pick<Precision, 'bits' | 'along' | 'group'>,
    readonly width: number,
    readonly capacity: number,
    part: 'value' | 'latent' = 'value',
  ) {
    const group = along === 'token' ? Math.max(1, Math.min(wanted, width)) : wanted;
    const layout = { bits, along, group, width };
    this.packed = {
      ...layout,
      format: buffers.format,
      codes: buffers.alloc(part, capacity * rowBytes(layout)),
      scales: buffers.allocEntries('scale', rangeEntries(layout, capacity)),
    };
  }

  /** Quantises `rows`, `[m, D]`; along channels m is a multiple of the group. Throws Error where they do not fit. */
  append(rows: Float32Array, m: number): void {
    const { width, count, packed } = this;
    if (count + m > this.capacity || (packed.along === 'channel' && m % packed.group !== 0)) {
      throw new Error(
        `${m} rows do not fit after ${count} of ${this.capacity}, in groups of ${packed.group}`,
      );
    }
    const codes = new Uint8Array(m * width);
    const ranges = new Float32Array(rangeEntries(packed, m));
    forEachGroup(packed, m, (group, scale, minimum) => {
      const range = quantiseGroup(rows, group, packed.bits, packed.format, codes);
      ranges[scale] = range.scale;
      ranges[minimum] = range.minimum;
    });
    this.writeCodes(codes, m);
    const at = packed.scales + rangeEntries(packed, count) * entryBytes(packed.format);
    const writer = new EntryWriter(this.kernels.memory, packed.format, at, ranges.length);
    writer.write(bitsOf(ranges), 0, ranges.length);
    this.count += m;
  }

  expand(kernels: Kernels, from: number, count: number, out: Pointer): void {
    kernels.dequantise(this.packed, from, count, out);
  }

  decode(): Float32Array {
    const { count, width, packed } = this;
    const { memory } = this.kernels;
    const ranges = readEntries(memory, packed.format, packed.scales, rangeEntries(packed, count));
    const bytes = memory.bytes(packed.codes, count * rowBytes(packed));
    const run = runLength(packed);
    const runBytes = Math.ceil((run * packed.bits) / 8);
    const out = new Float32Array(count * width);
    forEachGroup(packed, count, ({ first, step, count: size }, scale, minimum) => {
      for (let i = first; i < first + step * size; i += step) {
        const j = i % width;
        const start = ((i - j) / width) * rowBytes(packed) + Math.floor(j / run) * runBytes;
        const code = codeAt(bytes.subarray(start), packed.bits, j % run);
        out[i] = Math.fround(code * ranges[scale]!) + ranges[minimum]!;
      }
    });
    return out;
  }

  private writeCodes(codes: Uint8Array, m: number): void {
    const { packed, width } = this;
    const stride = rowBytes(packed);
    const bytes = this.kernels.memory.bytes(packed.codes + this.count * stride, m * stride);
    const run = runLength(packed);
    let at = 0;
    for (let row = 0; row < codes.length; row += width) {
      for (let j = 0; j < width; j += run) {
        const size = Math.min(run, width - j);
        packCodes(codes.subarray(row + j, row + j + size), packed.bits, bytes.subarray(at));
        at += Math.ceil((size * packed.bits) / 8);
      }
    }
  }
}

/** All n rows of `[n, r]` at once, by tokens. */
export function quantiseRows(
  kernels: Kernels,
  buffers: PackedBuffers,
  { bits, group }: Pick<Precision, 'bits' | 'group'>,
  rows: Float32Array,
  width: number,
  part: 'value' | 'latent',
): QuantisedRows {
  const count = rows.length / width;
  const packed = new QuantisedRows(kernels, buffers, { bits, group, along: 'token' }, width, count, part);
  packed.append(rows, count);
  return packed;
}

type Layout = Pick<Packed, 'bits' | 'along' | 'group' | 'width'>;

/** Entries of a row whose codes follow each other without a gap. */
function runLength({ along, width, group }: Layout): number {
  return along === 'token' ? group : Math.max(1, width);
}

function rowBytes(layout: Layout): number {
  return tokenCodeBytes(layout.width, runLength(layout), layout.bits);
}

/** Scales and minima of n rows. */
function rangeEntries({ along, width, group }: Layout, n: number): number {
  return 2 * (along === 'token' ? n * Math.ceil(width / group) : Math.ceil(n / group) * width);
}

/** Calls `visit` with each group of entries of n rows, and the indices of its scale and its minimum. */
function forEachGroup(
  { along, width, group }: Layout,
  n: number,
  visit: (group: Group, scale: number, minimum: number) => void,
): void {
  let next = 0;
  if (along === 'token') {
    for (let row = 0; row < n * width; row += width) {
      for (let j = 0; j < width; j += group, next += 2) {
        visit({ first: row + j, step: 1, count: Math.min(group, width - j) }, next, next + 1);
      }
    }
    return;
  }
  for (let t = 0; t < n; t += group, next += 2 * width) {
    for (let j = 0; j < width; j++) {
      const channel = { first: t * width + j, step: width, count: Math.min(group, n - t) };
      visit(channel, next + j, next + width + j);
    }
  }
}
