/**
 * GGUF tensor types to float32: the plain types and the blocks of 32.
 *
 * A block type is one entry of a table. A block type is a function that decodes one block; values are those of ggml's
 * reference code to the last bit, since each product is exact in float32 and each sum rounds once.
 */
import { dequantizeQ2K, dequantizeQ3K, dequantizeQ4K, dequantizeQ5K, dequantizeQ6K } from './dequant-k.js';
import { dequantizeIQ4NL, dequantizeIQ4XS } from './dequant-iq4.js';
import { bfloat16ToFloat32, float16ToFloat32, float16Values, halfAt } from '../float16.js';

/** Decodes the block at byte `at` of `bytes` into `out` from index `to`. `half` maps float16 patterns to values. */
export type BlockDecoder = (
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
) => void;

export interface GgufType {
  readonly name: string;
  /** Values per block, along the innermost dimension. */
  readonly blockValues: number;
  readonly blockBytes: number;
  /** All of a tensor's bytes, in a buffer of their own → its values. */
  readonly decode: (bytes: Uint8Array<ArrayBuffer>) => Float32Array;
}

function blocks(name: string, blockValues: number, blockBytes: number, decoder: BlockDecoder): GgufType {
  const decode = (bytes: Uint8Array): Float32Array => {
    const count = bytes.length / blockBytes;
    const out = new Float32Array(count * blockValues);
    const half = float16Values();
    for (let b = 0; b < count; b++) decoder(bytes, b * blockBytes, out, b * blockValues, half);
    return out;
  };
  return { name, blockValues, blockBytes, decode };
}

/** By the number that the file gives. */
export const GGUF_TYPES: ReadonlyMap<number, GgufType> = new Map([
  [0, { name: 'F32', blockValues: 1, blockBytes: 4, decode: (b) => new Float32Array(b.buffer) }],
  [
    1,
    {
      name: 'F16',
      blockValues: 1,
      blockBytes: 2,
      decode: (b) => float16ToFloat32(new Uint16Array(b.buffer)),
    },
  ],
  [
    30,
    {
      name: 'BF16',
      blockValues: 1,
      blockBytes: 2,
      decode: (b) => bfloat16ToFloat32(new Uint16Array(b.buffer)),
    },
  ],
  [2, blocks('Q4_0', 32, 18, dequantizeQ40)],
  [3, blocks('Q4_1', 32, 20, dequantizeQ41)],
  [6, blocks('Q5_0', 32, 22, dequantizeQ50)],
  [7, blocks('Q5_1', 32, 24, dequantizeQ51)],
  [8, blocks('Q8_0', 32, 34, dequantizeQ80)],
  [10, blocks('Q2_K', 256, 84, dequantizeQ2K)],
  [11, blocks('Q3_K', 256, 110, dequantizeQ3K)],
  [12, blocks('Q4_K', 256, 144, dequantizeQ4K)],
  [13, blocks('Q5_K', 256, 176, dequantizeQ5K)],
  [14, blocks('Q6_K', 256, 210, dequantizeQ6K)],
  [20, blocks('IQ4_NL', 32, 18, dequantizeIQ4NL)],
  [23, blocks('IQ4_XS', 256, 136, dequantizeIQ4XS)],
]);

/** Names of types that exist and are not read here, for the error message. */
export const OTHER_GGUF_TYPES: Readonly<Record<number, string>> = {
  ...{
    9: 'Q8_1',
    15: 'Q8_K',
    16: 'IQ2_XXS',
    17: 'IQ2_XS',
    18: 'IQ3_XXS',
    19: 'IQ1_S',
  },
  ...{
    21: 'IQ3_S',
    22: 'IQ2_S',
    24: 'I8',
    25: 'I16',
    26: 'I32',
    27: 'I64',
    28: 'F64',
  },
  ...{ 29: 'IQ1_M', 34: 'TQ1_0', 35: 'TQ2_0', 39: 'MXFP4' },
};

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
