/**
 * The kernels: attention over packed rows, in float32.
 *
 * The numbers of a query row depend on that row and the cached rows it sees, bit for bit, whatever else shares a call.
 * Alphabet: R = G·T query rows of one KV head, row r of new token ⌊r / G⌋; n cached rows; D width.
 */
import { entryBytes, type EntryFormat } from './entries.js';
import {
  tokenCodeBytes,
  type LatentRows,
  type PackedFill,
  type PackedRows,
  type QuantisedRows,
  type QuantisedSparseRows,
  type SparsePlace,
  type SparseRows,
} from './rows.js';
import { KERNEL_PAGES } from './form.js';
import { KernelMemory, MAX_PAGES, type Pointer } from './memory.js';
import { instantiateKernels } from './module.js';
import type { Caller } from './calls.js';
import { Memory, PAGE_BYTES } from './webassembly.js';

export type { EntryFormat } from './entries.js';
export type { KernelForm } from './form.js';
export type { KernelMemory, Pointer } from './memory.js';
export { kernelForm } from './module.js';
export type { DenseRows, LatentRows, PackedFill, PackedRows, SparseRows } from './rows.js';

/** The widest row. */
export const MAX_WIDTH = 256;

/** Which cached rows a query row sees: the first `visible + ⌊r / group⌋`. */
export interface Causality {
  /** Cached rows that the first new token sees; may be negative, or more than there are. */
  readonly visible: number;
  /** G, query rows per new token. */
  readonly group: number;
}

const FILLS = { zero: 0, signed: 1, mean: 2 } as const;

export class Kernels {
  /** @param call does the calls: at once, or later */
  constructor(
    readonly memory: KernelMemory,
    private readonly call: Caller,
  ) {}

  /** The same kernels, their calls done by another. */
  through(call: Caller): Kernels {
    return new Kernels(this.memory, call);
  }

  /**
   * `out[r, i] = queries[r] · row i` for every row, visible or not.
   *
   * @param queries `[R, pad4(D)]` float32, zero in the padding
   * @param out `[R, stride]` float32; entries `[r, 0..n)` are written
   */
  score(packed: PackedRows, queries: Pointer, rows: number, out: Pointer, stride: number): void {
    const { count, width } = packed;
    if (packed.kind === 'dense') {
      this.call('scoreDense', wide(packed), packed.entries, count, width, queries, rows, out, stride);
    } else {
      this.call('scoreSparse', ...sparseArguments(packed), count, width, queries, rows, out, stride);
    }
  }

  /**
   * `x[r, :seen] = softmax(scale · x[r, :seen])` with the `seen ≥ 1` scores that row r sees.
   *
   * @param x `[R, stride]` float32, stride a multiple of 4; up to 3 entries after `seen` are overwritten
   */
  softmax(x: Pointer, rows: number, stride: number, { visible, group }: Causality, scale: number): void {
    this.call('softmaxRows', x, rows, stride, visible, group, scale);
  }

  /**
   * `x[r, :count] = cap · tanh(x[r, :count] / cap)`.
   *
   * @param x `[R, stride]` float32, stride a multiple of 4; up to 3 entries after `count` are overwritten
   */
  softCap(x: Pointer, rows: number, stride: number, count: number, cap: number): void {
    this.call('capRows', x, rows, stride, count, cap);
  }

  /**
   * `out[r] += Σ_i weights[r, i] · row i` over the rows that r sees, in ascending order.
   *
   * @param weights `[R, stride]` float32
   * @param out `[R, pad4(D)]` float32
   */
  accumulate(
    packed: PackedRows,
    weights: Pointer,
    rows: number,
    stride: number,
    { visible, group }: Causality,
    out: Pointer,
  ): void {
    const { count, width } = packed;
    const rest = [count, width, weights, rows, stride, visible, group, out] as const;
    if (packed.kind === 'dense') this.call('accumulateDense', wide(packed), packed.entries, ...rest);
    else this.call('accumulateSparse', ...sparseArguments(packed), ...rest);
  }

  /**
   * Copies the kept columns of `from [R, D]` to `to [R, pad4(kept)]`, zeros in the padding (float32).
   *
   * @param mask D bits, in the order of `SparseRows.masks`; `kept` of them are 1
   */
  gather(mask: Pointer, width: number, kept: number, from: Pointer, rows: number, to: Pointer): void {
    this.call('gather', mask, width, from, rows, to, kept);
  }

  /** Adds `from [R, pad4(kept)]` to the kept columns of `to [R, D]`. */
  scatterAdd(mask: Pointer, width: number, kept: number, from: Pointer, rows: number, to: Pointer): void {
    this.call('scatterAdd', mask, width, from, rows, to, kept);
  }

  /** Copies `count` rows of `bytes` bytes; strides in bytes from one row to the next. */
  copy(from: Pointer, fromStride: number, to: Pointer, toStride: number, bytes: number, count: number): void {
    this.call('copyRows', from, fromStride, to, toStride, bytes, count);
  }

  /** Sets the first `count` numbers of each of `rows` rows; stride in numbers. */
  fill(at: Pointer, stride: number, rows: number, count: number, value: number): void {
    this.call('fillRows', at, stride, rows, count, value);
  }

  /**
   * Zeroes, in rows of the kept columns `narrow [R, pad4(kept)]`, those that a row's query head does not read.
   *
   * @param union D bits, `kept` of them 1
   * @param masks `[G, D]` bits; row r belongs to query head r mod G
   */
  maskColumns(
    union: Pointer,
    masks: Pointer,
    { group, width, kept, rows }: Readonly<Record<'group' | 'width' | 'kept' | 'rows', number>>,
    narrow: Pointer,
  ): void {
    this.call('maskColumns', union, masks, group, width, kept, rows, narrow);
  }

  /** Writes rows `from … from + count − 1` of latents to `out [count, D]` (float32), rotated where they are to be. */
  rebuild(latents: LatentRows, from: number, count: number, out: Pointer): void {
    const { format, rank, rows, up, bias, width, rotation } = latents;
    // Where the first latent would be; below 0 it wraps round, and back again with the index of a latent.
    const entries = latents.entries - latents.skip * rank * entryBytes(format);
    this.call('rebuildRows', wide({ format }), entries, rank, rows, from, count, up, width, bias, out);
    if (rotation === undefined) return;
    this.call('rotateRows', out, from, count, width, rows, rotation.positions, rotation.table);
  }

  /** Writes rows `from … from + count − 1` of codes to `out [count, D]` (float32). */
  dequantise(rows: QuantisedRows, from: number, count: number, out: Pointer): void {
    const { bits, group, width, codes, scales, along } = rows;
    if (along === 'channel') {
      this.call('dequantiseChannels', wide(rows), bits, codes, scales, group, from, count, width, out);
      return;
    }
    const firstCode = codes + from * tokenCodeBytes(width, group, bits);
    const firstPair = scales + from * 2 * Math.ceil(width / group) * entryBytes(rows.format);
    this.call('dequantiseTokens', wide(rows), bits, firstCode, firstPair, group, count, width, out);
  }

  /** Writes `count` rows, kept entries and recovered ones, to `out [count, D]` (float32); the first begins at `place`. */
  recover(rows: QuantisedSparseRows, place: SparsePlace, count: number, out: Pointer): void {
    const { bits, group, width, format } = rows;
    const codes = rows.codes + place.codeBytes;
    const pairs = rows.scales + 2 * place.groups * entryBytes(format);
    const { signs, scales, channel, kind } = fillArguments(rows.fill);
    const before = (place.tokens * width) / 8;
    const fill = [signs + before, scales + place.tokens * entryBytes(format), channel] as const;
    this.call(
      'recoverQuantised',
      wide(rows),
      bits,
      codes,
      pairs,
      group,
      rows.masks + before,
      ...fill,
      kind,
      count,
      width,
      out,
    );
  }
}

function wide({ format }: { readonly format: EntryFormat }): number {
  return format === 'float32' ? 1 : 0;
}

type SparseArguments = [number, Pointer, Pointer, Pointer, Pointer, Pointer, number];

function sparseArguments(packed: SparseRows): SparseArguments {
  const { signs, scales, channel, kind } = fillArguments(packed.fill);
  return [wide(packed), packed.entries, packed.masks, signs, scales, channel, kind];
}

function fillArguments(fill: PackedFill): Record<'signs' | 'scales' | 'channel' | 'kind', number> {
  return {
    signs: fill.kind === 'signed' ? fill.signs : 0,
    scales: fill.kind === 'zero' ? 0 : fill.scales,
    channel: fill.kind === 'signed' ? fill.channel : 0,
    kind: FILLS[fill.kind],
  };
}

let shared: Kernels | undefined;

/**
 * The process's kernels; with `maxBytes`, new ones on a memory of their own that may not grow beyond it
 * (rounded down to 64 KiB; at least 256 KiB, at most and by default 4 GiB).
 *
 * Throws UserError where the kernels are not built.
 */
export function openKernels(options: { readonly maxBytes?: number } = {}): Kernels {
  if (options.maxBytes === undefined) return (shared ??= create(MAX_PAGES));
  return create(Math.max(KERNEL_PAGES, Math.min(MAX_PAGES, Math.floor(options.maxBytes / PAGE_BYTES))));
}

function create(maxPages: number): Kernels {
  const memory = new Memory({ initial: KERNEL_PAGES, maximum: MAX_PAGES, shared: true });
  const code = instantiateKernels(memory);
  return new Kernels(new KernelMemory(memory, code, maxPages), (kernel, ...args) => {
    code[kernel](...args);
  });
}
