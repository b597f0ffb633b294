/**
 * The block types of GGUF to float32, by the formula of each value, to the last bit as ggml's reference code.
 *
 * What packed weights are held against.
 */
import { float16Values } from '../../../src/checkpoint/float16.js';
import { dequantizeQ2K, dequantizeQ3K, dequantizeQ4K, dequantizeQ5K, dequantizeQ6K } from './dequant-k.js';
import { halfAt } from './half.js';

/** Decodes the block at byte `at` of `bytes` into `out` from index `to`. `half` maps float16 patterns to values. */
type BlockDecoder = (
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
) => void;

export interface BlockType {
  readonly name: string;
  readonly blockValues: number;
  readonly blockBytes: number;
  /** Bytes of a block at which its float16 scales and minima lie. */
  readonly halves: readonly number[];
  readonly decode: BlockDecoder;
}

const block = (
  name: string,
  blockValues: number,
  blockBytes: number,
  halves: readonly number[],
  decode: BlockDecoder,
): BlockType => ({ name, blockValues, blockBytes, halves, decode });

/** By the number that the file gives. */
export const BLOCK_TYPES: ReadonlyMap<number, BlockType> = new Map([
  [2, block('Q4_0', 32, 18, [0], dequantizeQ40)],
  [3, block('Q4_1', 32, 20, [0, 2], dequantizeQ41)],
  [6, block('Q5_0', 32, 22, [0], dequantizeQ50)],
  [7, block('Q5_1', 32, 24, [0, 2], dequantizeQ51)],
  [8, block('Q8_0', 32, 34, [0], dequantizeQ80)],
  [10, block('Q2_K', 256, 84, [80, 82], dequantizeQ2K)],
  [11, block('Q3_K', 256, 110, [108], dequantizeQ3K)],
  [12, block('Q4_K', 256, 144, [0, 2], dequantizeQ4K)],
  [13, block('Q5_K', 256, 176, [0, 2], dequantizeQ5K)],
  [14, block('Q6_K', 256, 210, [208], dequantizeQ6K)],
  [20, block('IQ4_NL', 32, 18, [0], dequantizeIQ4NL)],
  [23, block('IQ4_XS', 256, 136, [0], dequantizeIQ4XS)],
]);

/** The values of whole blocks. */
export function dequantized({ blockValues, blockBytes, decode }: BlockType, bytes: Uint8Array): Float32Array {
  const count = bytes.length / blockBytes;
  const out = new Float32Array(count * blockValues);
  const half = float16Values();
  for (let b = 0; b < count; b++) decode(bytes, b * blockBytes, out, b * blockValues, half);
  return out;
}

/** d, 32 signed bytes: `d · q`. */
function dequantizeQ80(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at, half);
  for (let i = 0; i < 32; i++) out[to + i] = d * ((bytes[at + 2 + i]! << 24) >> 24);
}

/** d, 16 bytes whose low nibbles are values 0…15 and whose high nibbles are 16…31: `d · (q − 8)`. */
function dequantizeQ40(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at, half);
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 2 + i]!;
    out[to + i] = d * ((q & 15) - 8);
    out[to + 16 + i] = d * ((q >> 4) - 8);
  }
}

/** d, m, nibbles as in Q4_0: `d · q + m`. */
function dequantizeQ41(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at, half);
  const m = halfAt(bytes, at + 2, half);
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 4 + i]!;
    out[to + i] = d * (q & 15) + m;
    out[to + 16 + i] = d * (q >> 4) + m;
  }
}

/** d, 32 fifth bits, nibbles as in Q4_0: `d · (q − 16)`. */
function dequantizeQ50(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at, half);
  const high = wordAt(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 6 + i]!;
    out[to + i] = d * (((q & 15) | (((high >> i) & 1) << 4)) - 16);
    out[to + 16 + i] = d * (((q >> 4) | (((high >> (i + 16)) & 1) << 4)) - 16);
  }
}

/** d, m, 32 fifth bits, nibbles as in Q4_0: `d · q + m`. */
function dequantizeQ51(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at, half);
  const m = halfAt(bytes, at + 2, half);
  const high = wordAt(bytes, at + 4);
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 8 + i]!;
    out[to + i] = d * ((q & 15) | (((high >> i) & 1) << 4)) + m;
    out[to + 16 + i] = d * ((q >> 4) | (((high >> (i + 16)) & 1) << 4)) + m;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

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
function dequantizeIQ4NL(
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
function dequantizeIQ4XS(
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
