/**
 * Rows that are rebuilt from latents: `latent · up + bias`, then RoPE where they are keys.
 *
 * Attention reads latents directly; codes are written out a block at a time, so that the rows never exist as a whole.
 */
import { entryBytes } from '../../kernels/entries.js';
import type { Kernels, LatentRows } from '../../kernels/index.js';
import { readEntries } from '../decode.js';
import type { ExpandedRows } from './segment.js';

/** What turns a latent into a row. */
export type Rebuilding = Omit<LatentRows, 'format' | 'entries' | 'skip'>;

/** Latents of codes that are written out at once. */
const BLOCK = 128;

/** Rows `first … first + count − 1` of a KV head. */
export interface LatentRun {
  readonly first: number;
  readonly count: number;
}

/** The rows of a run whose latents are entries. */
export function latentRows(kernels: Kernels, { first, count }: LatentRun, latents: LatentRows): ExpandedRows {
  return {
    kind: 'expanded',
    count,
    width: latents.width,
    expand: (calls, from, rows, out) => {
      calls.rebuild(latents, first + from, rows, out);
    },
    decode: () => {
      const { memory } = kernels;
      const { entries, skip, rank, format } = latents;
      return rebuildPlainly(kernels, { first, count }, latents, (place) =>
        readEntries(memory, format, entries + (place - skip) * rank * entryBytes(format), rank),
      );
    },
  };
}

/** The rows of a run whose latents are codes. */
export function codedLatentRows(
  kernels: Kernels,
  { first, count }: LatentRun,
  codes: ExpandedRows,
  latents: Rebuilding,
): ExpandedRows {
  return {
    kind: 'expanded',
    count,
    width: latents.width,
    scratchBytes: 4 * BLOCK * latents.rank,
    expand: (calls, from, rows, out, scratch) => {
      const end = first + from + rows;
      for (let row = first + from; row < end;) {
        // Rows are ascending: as many as have their latents within one block.
        const skip = placeOf(kernels, latents, row);
        let next = row + 1;
        while (next < end && placeOf(kernels, latents, next) < skip + BLOCK) next++;
        codes.expand(calls, skip, placeOf(kernels, latents, next - 1) - skip + 1, scratch, 0);
        const written = { ...latents, format: 'float32', entries: scratch, skip } as const;
        calls.rebuild(written, row, next - row, out + 4 * (row - first - from) * latents.width);
        row = next;
      }
    },
    decode: () => {
      const all = codes.decode(); // [n, r]
      const { rank } = latents;
      return rebuildPlainly(kernels, { first, count }, latents, (place) =>
        all.subarray(place * rank, (place + 1) * rank),
      );
    },
  };
}

function placeOf({ memory }: Kernels, { rows }: Rebuilding, row: number): number {
  return rows === 0 ? row : memory.words(rows + 4 * row, 1)[0]!;
}

/** `[count, D]` */
function rebuildPlainly(
  kernels: Kernels,
  { first, count }: LatentRun,
  latents: Rebuilding,
  latentAt: (place: number) => Float32Array,
): Float32Array {
  const { memory } = kernels;
  const { rank, up, bias, width: D, rotation } = latents;
  const upRows = memory.floats(up, rank * D); // [r, D]
  const half = D / 2;
  const out = new Float32Array(count * D);
  for (let t = 0; t < count; t++) {
    const place = placeOf(kernels, latents, first + t);
    const latent = latentAt(place); // [r]
    const row = bias === 0 ? new Float32Array(D) : memory.floats(bias, D).slice();
    for (let j = 0; j < D; j++) {
      for (let k = 0; k < rank; k++) row[j]! += latent[k]! * upRows[k * D + j]!;
    }
    out.set(row, t * D);
    if (rotation === undefined) continue;
    const { positions, table } = rotation;
    const position = positions === 0 ? place : memory.words(positions + 4 * place, 1)[0]!;
    const angles = memory.floats(table + 4 * position * D, D);
    for (let j = 0; j < half; j++) {
      out[t * D + j] = row[j]! * angles[j]! - row[half + j]! * angles[half + j]!;
      out[t * D + half + j] = row[half + j]! * angles[j]! + row[j]! * angles[half + j]!;
    }
  }
  return out;
}
