/**
 * IQ4_NL and IQ4_XS to float32: four bits name one of sixteen values that do not lie at equal distances.
 *
 * Each function decodes one block (see `BlockDecoder` in dequant.ts), to the last bit as ggml's reference code.
 */
import { halfAt } from '../float16.js';

/** `kvalues_iq4nl` of ggml. */
const VALUES = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** Sixteen bytes: the low nibbles are values 0…15, the high ones 16…31. */
function decode32(bytes: Uint8Array, at: number, scale: number, out: Float32Array, to: number): void {
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + i]!;
    out[to + i] = scale * VALUES[q & 15]!;
    out[to + 16 + i] = scale * VALUES[q >> 4]!;
  }
}

/** d, 16 bytes of nibbles: `d · value`. */
export function dequantizeIQ4NL(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  decode32(bytes, at + 2, halfAt(bytes, at, half), out, to);
}

/**
 * d, 16 bits of upper and 4 bytes of lower scale bits, 128 bytes of nibbles: `d · (scale − 32) · value` per group of 32, whose
 * 6-bit scale has its low nibble in the bytes and its two high bits in the word.
 */
export function dequantizeIQ4XS(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at, half);
  const high = bytes[at + 2]! | (bytes[at + 3]! << 8);
  for (let group = 0; group < 8; group++) {
    const low = (bytes[at + 4 + (group >> 1)]! >> (4 * (group & 1))) & 15;
    const scale = low | (((high >> (2 * group)) & 3) << 4);
    decode32(bytes, at + 8 + 16 * group, d * (scale - 32), out, to + 32 * group);
  }
}
