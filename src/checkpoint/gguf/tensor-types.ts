/**
 * The tensor types of GGUF, and the form in which each is read.
 *
 * All formats of blocks become 8-bit codes with a float32 scale and minimum, whose values are those of ggml's reference code to
 * the last bit: each product is exact in float32 and each sum rounds once.
 */
import type { BlockPacker, StoredType } from '../tensor-file.js';
import type { WeightForm } from '../packed-weights.js';
import { packIQ4NL, packIQ4XS, packQ40, packQ41, packQ50, packQ51, packQ80 } from './pack-blocks.js';
import { packQ2K, packQ3K, packQ4K, packQ5K, packQ6K } from './pack-k.js';

function floats(name: string, blockBytes: number, form: WeightForm): StoredType {
  return { name, blockValues: 1, blockBytes, form };
}

function blocks(
  name: string,
  blockValues: number,
  blockBytes: number,
  form: WeightForm,
  pack: BlockPacker,
): StoredType {
  return { name, blockValues, blockBytes, form, pack };
}

/** By the number that the file gives. */
export const GGUF_TYPES: ReadonlyMap<number, StoredType> = new Map([
  [0, floats('F32', 4, 'f32')],
  [1, floats('F16', 2, 'f16')],
  [30, floats('BF16', 2, 'bf16')],
  [2, blocks('Q4_0', 32, 18, 'q8', packQ40)],
  [3, blocks('Q4_1', 32, 20, 'q8', packQ41)],
  [6, blocks('Q5_0', 32, 22, 'q8', packQ50)],
  [7, blocks('Q5_1', 32, 24, 'q8', packQ51)],
  [8, blocks('Q8_0', 32, 34, 'q8', packQ80)],
  [10, blocks('Q2_K', 256, 84, 'q8x16', packQ2K)],
  [11, blocks('Q3_K', 256, 110, 'q8x16', packQ3K)],
  [12, blocks('Q4_K', 256, 144, 'q8', packQ4K)],
  [13, blocks('Q5_K', 256, 176, 'q8', packQ5K)],
  [14, blocks('Q6_K', 256, 210, 'q8x16', packQ6K)],
  [20, blocks('IQ4_NL', 32, 18, 'q8', packIQ4NL)],
  [23, blocks('IQ4_XS', 256, 136, 'q8', packIQ4XS)],
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
