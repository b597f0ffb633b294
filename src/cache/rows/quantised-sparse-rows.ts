/**
 * Sparse rows whose kept entries are codes, as attention reads them.
 *
 * Rows are as long as their masks say, so places are counted from the last one that was read.
 * Alphabet: n tokens, D width, T kept entries of a token.
 */
import { entryBytes } from '../../kernels/entries.js';
import type { Kernels } from '../../kernels/index.js';
import { tokenCodeBytes, type QuantisedSparseRows, type SparsePlace } from '../../kernels/rows.js';
import { keptEntries, readEntries, recoverPlainly } from '../decode.js';
import { codeAt } from '../encode/pack-codes.js';
import type { ExpandedRows } from './segment.js';

const START: SparsePlace = { tokens: 0, codeBytes: 0, groups: 0 };

export function quantisedSparseRows(
  kernels: Kernels,
  rows: QuantisedSparseRows,
  count: number,
): ExpandedRows {
  let place = START;
  return {
    kind: 'expanded',
    count,
    width: rows.width,
    expand: (calls, from, rowCount, out) => {
      if (from < place.tokens) place = START;
      place = placeOf(kernels, rows, place, from);
      calls.recover(rows, place, rowCount, out);
    },
    decode: () => decodePlainly(kernels, rows, count),
  };
}

/** Where token `to` begins, counted from an earlier one. */
function placeOf({ memory }: Kernels, rows: QuantisedSparseRows, from: SparsePlace, to: number): SparsePlace {
  const { width, group, bits } = rows;
  const bytes = width / 8;
  const masks = memory.bytes(rows.masks, to * bytes);
  let { codeBytes, groups } = from;
  for (let t = from.tokens; t < to; t++) {
    let kept = 0;
    for (let at = t * bytes; at < (t + 1) * bytes; at++) kept += ONES[masks[at]!]!;
    codeBytes += tokenCodeBytes(kept, group, bits);
    groups += Math.ceil(kept / group);
  }
  return { tokens: to, codeBytes, groups };
}

/** Ones of each byte. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1;
  return ones;
});

/** `[n, D]` */
function decodePlainly({ memory }: Kernels, rows: QuantisedSparseRows, count: number): Float32Array {
  const { bits, group, width, masks, format } = rows;
  const kept = keptEntries(memory, { masks, count, width });
  const entries = new Float32Array(kept);
  let next = 0;
  let codes = rows.codes;
  let scales = rows.scales;
  for (let t = 0; t < count; t++) {
    const length = keptEntries(memory, { masks: masks + (t * width) / 8, count: 1, width });
    for (let first = 0; first < length; first += group) {
      const size = Math.min(group, length - first);
      const bytes = Math.ceil((size * bits) / 8);
      const range = readEntries(memory, format, scales, 2);
      for (let i = 0; i < size; i++) {
        entries[next++] = Math.fround(codeAt(memory.bytes(codes, bytes), bits, i) * range[0]!) + range[1]!;
      }
      codes += bytes;
      scales += 2 * entryBytes(format);
    }
  }
  return recoverPlainly(memory, { ...rows, count }, entries, false);
}
