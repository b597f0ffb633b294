/**
 * The latent codec: of each group of KV heads, one row of r entries per token (ReCalKV, arXiv 2505.24357, section 3).
 *
 * Positions are stored only where they are not simply 0 … n − 1 and RoPE needs them. What rebuilds the rows is the
 * model's and is not counted.
 */
import { bitsOf, EntryWriter } from '../../kernels/entries.js';
import type { Kernels, Pointer } from '../../kernels/index.js';
import { codedLatentRows, latentRows, type Rebuilding } from '../rows/latent-rows.js';
import type { PackedBuffers } from '../packed-buffers.js';
import { quantiseRows } from '../rows/quantised-rows.js';
import { settledTokens } from './quantise.js';
import type { PackedSide } from '../rows/segment.js';
import type { LatentGroup, LayerTrace, Precision } from '../types.js';

/**
 * One side of every KV head, in their order.
 *
 * @param tokens per KV head: kept positions, ascending
 * @param precision of the older latents of each group; along tokens
 * @throws Error where the trace has no latents
 */
export function encodeLatent(
  trace: LayerTrace,
  name: 'keys' | 'values',
  tokens: readonly Int32Array[],
  precision: Precision | undefined,
  buffers: PackedBuffers,
  kernels: Kernels,
): PackedSide[] {
  const { lowRank, length, headDim: D } = trace;
  if (lowRank === undefined)
    throw new Error(`layer ${trace.layer}: the projections have no latents to store`);
  const sides: PackedSide[] = tokens.map(() => []);
  for (const group of lowRank[name]) {
    const kept = unionOf(
      group.heads.map((head) => tokens[head]!),
      length,
    );
    if (kept.length === 0) continue;
    const rowsOf = storeLatents(group, kept, precision, buffers, kernels);
    const rotation =
      name === 'keys' ? storeRotation(lowRank.ropeFrequencies, kept, length, buffers) : undefined;
    const up = buffers.borrow(group.up, { name: 'up', count: group.up.length }, (table) => {
      splitByHead(table, group, D);
    });
    const bias = storeBias(group, buffers);
    group.heads.forEach((head, g) => {
      const places = placesIn(kept, tokens[head]!);
      sides[head] = rowsOf(places, {
        rank: group.rank,
        rows: places.length === kept.length ? 0 : storeNumbers(places, buffers),
        up: up + 4 * g * group.rank * D,
        bias: bias === 0 ? 0 : bias + 4 * g * D,
        width: D,
        rotation,
      });
    });
  }
  return sides;
}

/** A KV head's rows: those of quantised latents, then those of entries. */
type RowsOf = (places: Int32Array, latents: Rebuilding) => PackedSide;

/** The latents of a group, the older ones as codes where there is a precision. */
function storeLatents(
  { latent, rank }: LatentGroup,
  kept: Int32Array,
  precision: Precision | undefined,
  buffers: PackedBuffers,
  kernels: Kernels,
): RowsOf {
  const { format } = buffers;
  const settled = precision === undefined ? 0 : settledTokens(precision, kept.length);
  const codes =
    settled === 0
      ? undefined
      : quantiseRows(
          kernels,
          buffers,
          precision!,
          rowsAt(latent, rank, kept.subarray(0, settled)),
          rank,
          'latent',
        );
  const entries = storeEntries(latent, rank, kept.subarray(settled), buffers);
  return (places, latents) => {
    const boundary = places.findIndex((place) => place >= settled);
    const coded = boundary === -1 ? places.length : boundary;
    const runs = [
      { first: 0, count: coded },
      { first: coded, count: places.length - coded },
    ] as const;
    const side: PackedSide = [
      ...(codes === undefined ? [] : [codedLatentRows(kernels, runs[0], codes, latents)]),
      latentRows(kernels, runs[1], { ...latents, format, entries, skip: settled }),
    ].map((rows) => ({ rows }));
    return side.filter(({ rows }) => rows.count > 0);
  };
}

/** `[n, r]` in the cache's format. */
function storeEntries(
  latent: Float32Array,
  rank: number,
  positions: Int32Array,
  buffers: PackedBuffers,
): Pointer {
  const count = positions.length * rank;
  const entries = buffers.allocEntries('latent', count);
  const writer = new EntryWriter(buffers.memory, buffers.format, entries, count);
  const bits = bitsOf(latent);
  for (const position of positions) writer.write(bits, position * rank, rank);
  return entries;
}

/** The latents of some positions, `[n, r]`. */
function rowsAt(latent: Float32Array, rank: number, positions: Int32Array): Float32Array {
  const rows = new Float32Array(positions.length * rank);
  positions.forEach((position, t) => {
    rows.set(latent.subarray(position * rank, (position + 1) * rank), t * rank);
  });
  return rows;
}

function storeBias({ bias }: LatentGroup, buffers: PackedBuffers): Pointer {
  if (bias === undefined) return 0;
  return buffers.borrow(bias, { name: 'bias', count: bias.length }, (table) => {
    table.set(bias);
  });
}

/** What turns keys to their positions: the angles of the whole prompt, and which of them each latent has. */
function storeRotation(
  frequencies: Float32Array,
  kept: Int32Array,
  length: number,
  buffers: PackedBuffers,
): { readonly positions: Pointer; readonly table: Pointer } {
  const half = frequencies.length;
  const table = buffers.borrow(frequencies, { name: 'angles', count: length * 2 * half }, (angles) => {
    for (let t = 0; t < length; t++) {
      for (let j = 0; j < half; j++) {
        const angle = Math.fround(t * frequencies[j]!);
        angles[t * 2 * half + j] = Math.cos(angle);
        angles[t * 2 * half + half + j] = Math.sin(angle);
      }
    }
  });
  const isPrefix = kept.at(-1) === kept.length - 1;
  return { positions: isPrefix ? 0 : storeNumbers(kept, buffers), table };
}

/** `[r, heads·D]` → `[heads, r, D]`. */
function splitByHead(table: Float32Array, { up, heads, rank }: LatentGroup, D: number): void {
  for (let g = 0; g < heads.length; g++) {
    for (let k = 0; k < rank; k++) {
      const from = (k * heads.length + g) * D;
      table.set(up.subarray(from, from + D), (g * rank + k) * D);
    }
  }
}

function storeNumbers(numbers: Int32Array, buffers: PackedBuffers): Pointer {
  const pointer = buffers.alloc('index', 4 * numbers.length);
  buffers.memory.words(pointer, numbers.length).set(numbers);
  return pointer;
}

/** Positions that any of the lists holds, ascending. */
function unionOf(lists: readonly Int32Array[], length: number): Int32Array {
  const present = new Uint8Array(length);
  for (const list of lists) for (const position of list) present[position] = 1;
  return Int32Array.from(present.keys()).filter((position) => present[position] === 1);
}

/** Where in `all` each of the ascending `some` stands. */
function placesIn(all: Int32Array, some: Int32Array): Int32Array {
  let at = 0;
  return some.map((position) => {
    while (all[at] !== position) at++;
    return at;
  });
}
