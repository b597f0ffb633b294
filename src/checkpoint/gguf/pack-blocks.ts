/**
 * The blocks of 32 of GGUF as packed weights: Q4_0 to Q8_0 and IQ4_NL.
 *
 * Four codes are taken at a time, one a byte of a word. A format without a minimum gets −0, which changes no number it is added to.
 */
import type { BlockBuffers } from '../tensor-file.js';

/** Four bytes of the same value. */
export const EACH = 0x01010101;

/** Takes `by` (0…127) from each of four bytes (0…127); the results are signed bytes. */
export function lessEach(word: number, by: number): number {
  return ((word | (0x80 * EACH)) - by * EACH) ^ (0x80 * EACH);
}

/** The float16 at a byte of the source. */
export function halfAt({ source, half }: BlockBuffers, at: number): number {
  return half[source.getUint16(at, true)]!;
}

/** Scale and minimum of the block that begins at a word. */
export function putScale({ floats }: BlockBuffers, to: number, scale: number, minimum: number): void {
  floats[to] = scale;
  floats[to + 1] = minimum;
}

/** d, 32 signed bytes: `d · q`. */
export function packQ80(buffers: BlockBuffers, at: number, to: number): void {
  const { source, words } = buffers;
  putScale(buffers, to, halfAt(buffers, at), -0);
  for (let i = 0; i < 8; i++) words[to + 2 + i] = source.getInt32(at + 2 + 4 * i, true);
}

/** d, 16 bytes whose low nibbles are values 0…15 and whose high nibbles are 16…31: `d · (q − 8)`. */
export function packQ40(buffers: BlockBuffers, at: number, to: number): void {
  const { source, words } = buffers;
  putScale(buffers, to, halfAt(buffers, at), -0);
  for (let i = 0; i < 4; i++) {
    const pairs = source.getInt32(at + 2 + 4 * i, true);
    words[to + 2 + i] = lessEach(pairs & (15 * EACH), 8);
    words[to + 6 + i] = lessEach((pairs >>> 4) & (15 * EACH), 8);
  }
}

/** d, m, nibbles as in Q4_0: `d · q + m`. */
export function packQ41(buffers: BlockBuffers, at: number, to: number): void {
  const { source, words } = buffers;
  putScale(buffers, to, halfAt(buffers, at), halfAt(buffers, at + 2));
  for (let i = 0; i < 4; i++) {
    const pairs = source.getInt32(at + 4 + 4 * i, true);
    words[to + 2 + i] = pairs & (15 * EACH);
    words[to + 6 + i] = (pairs >>> 4) & (15 * EACH);
  }
}

/** d, 32 fifth bits, nibbles as in Q4_0: `d · (q − 16)`. */
export function packQ50(buffers: BlockBuffers, at: number, to: number): void {
  putScale(buffers, to, halfAt(buffers, at), -0);
  putFiveBits(buffers, at + 2, to + 2, 16);
}

/** d, m, 32 fifth bits, nibbles as in Q4_0: `d · q + m`. */
export function packQ51(buffers: BlockBuffers, at: number, to: number): void {
  putScale(buffers, to, halfAt(buffers, at), halfAt(buffers, at + 2));
  putFiveBits(buffers, at + 4, to + 2, 0);
}

function putFiveBits({ source, words }: BlockBuffers, at: number, to: number, less: number): void {
  const fifths = source.getInt32(at, true);
  for (let i = 0; i < 4; i++) {
    const pairs = source.getInt32(at + 4 + 4 * i, true);
    const low = (pairs & (15 * EACH)) | (spread(fifths >>> (4 * i)) << 4);
    const high = ((pairs >>> 4) & (15 * EACH)) | (spread(fifths >>> (16 + 4 * i)) << 4);
    words[to + i] = lessEach(low, less);
    words[to + 4 + i] = lessEach(high, less);
  }
}

/** The four lowest bits, one a byte. */
function spread(bits: number): number {
  return (bits & 1) | ((bits & 2) << 7) | ((bits & 4) << 14) | ((bits & 8) << 21);
}

/** `kvalues_iq4nl` of ggml: what four bits stand for. */
const VALUES = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** Sixteen bytes: the low nibbles name values 0…15, the high ones 16…31. */
function putNamed({ source, codes }: BlockBuffers, at: number, to: number): void {
  for (let i = 0; i < 16; i++) {
    const pair = source.getUint8(at + i);
    codes[4 * to + i] = VALUES[pair & 15]!;
    codes[4 * to + 16 + i] = VALUES[pair >> 4]!;
  }
}

/** d, 16 bytes of nibbles: `d · value`. */
export function packIQ4NL(buffers: BlockBuffers, at: number, to: number): void {
  putScale(buffers, to, halfAt(buffers, at), -0);
  putNamed(buffers, at + 2, to + 2);
}

/**
 * d, 16 bits of upper and 4 bytes of lower scale bits, 128 bytes of nibbles: `d · (scale − 32) · value` per group of 32, whose
 * 6-bit scale has its low nibble in the bytes and its two high bits in the word.
 */
export function packIQ4XS(buffers: BlockBuffers, at: number, to: number): void {
  const { source } = buffers;
  const d = halfAt(buffers, at);
  const highs = source.getUint16(at + 2, true);
  for (let group = 0; group < 8; group++) {
    const low = (source.getUint8(at + 4 + (group >> 1)) >> (4 * (group & 1))) & 15;
    const scale = low | (((highs >> (2 * group)) & 3) << 4);
    putScale(buffers, to + 10 * group, d * (scale - 32), -0);
    putNamed(buffers, at + 8 + 16 * group, to + 10 * group + 2);
  }
}
