/**
 * The kept columns of float32 rows: gathered into narrow rows, and added back.
 *
 * Order: ascending. Mask bit j in byte j >> 3 at bit j & 7. Alphabet: R rows, D width, T kept columns.
 */
import { padded } from './entries';

// @ts-ignore: decorator
@inline
function isKept(mask: usize, j: usize): bool {
  return ((load<u8>(mask + (j >> 3)) >> (<u8>j & 7)) & 1) != 0;
}

/** `out[r] = rows[r]` at the kept columns; rows `[R, D]`, out `[R, padded(T)]` with zeros in the padding. */
export function gather(mask: usize, width: usize, from: usize, rows: usize, out: usize, kept: usize): void {
  const padding = padded(kept) - kept;
  for (let r: usize = 0; r < rows; r++) {
    for (let j: usize = 0; j < width; j++, from += 4) {
      if (!isKept(mask, j)) continue;
      store<f32>(out, load<f32>(from));
      out += 4;
    }
    for (let p: usize = 0; p < padding; p++, out += 4) store<f32>(out, 0);
  }
}

/** `out[r] += narrow[r]` at the kept columns; narrow `[R, padded(T)]`, out `[R, D]`. */
export function scatterAdd(mask: usize, width: usize, narrow: usize, rows: usize, out: usize, kept: usize): void {
  const padding = padded(kept) - kept;
  for (let r: usize = 0; r < rows; r++) {
    for (let j: usize = 0; j < width; j++, out += 4) {
      if (!isKept(mask, j)) continue;
      store<f32>(out, load<f32>(out) + load<f32>(narrow));
      narrow += 4;
    }
    narrow += padding << 2;
  }
}
