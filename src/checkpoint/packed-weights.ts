/**
 * Weights in the precision of their file: floats of 4 or 2 bytes, or blocks of 8-bit codes.
 *
 * A model takes no more memory than its file then, and all quantised formats become one form that holds their values exactly.
 */
import { float16Values } from './float16.js';

/**
 * How the numbers of a packed row are stored, little-endian.
 *
 * `f32`, `bf16`, `f16` (finite numbers only): one after the other. `q8`: blocks of 32 consecutive numbers of a row, each block a
 * float32 scale, a float32 minimum and 32 signed 8-bit codes; a number is fl(fl(scale · code) + minimum). `q8x16`: the same with
 * 16 numbers a block.
 */
export type WeightForm = 'f32' | 'bf16' | 'f16' | 'q8' | 'q8x16';

/** A matrix [rows, columns] = [out, in] (a vector: one row) in one of the forms, row after row without gaps. */
export interface PackedWeights {
  readonly form: WeightForm;
  readonly rows: number;
  readonly columns: number;
  readonly rowBytes: number;
  /** `rows · rowBytes` bytes; begins at a multiple of 4 in its buffer. */
  readonly data: Uint8Array;
}

/** Consecutive rows of a tensor. */
export interface RowSpan {
  readonly first: number;
  readonly count: number;
}

/** The smallest unit of a form: the numbers in it, and its bytes. */
export const FORM_BLOCKS: Readonly<Record<WeightForm, { readonly numbers: number; readonly bytes: number }>> =
  {
    f32: { numbers: 1, bytes: 4 },
    bf16: { numbers: 1, bytes: 2 },
    f16: { numbers: 1, bytes: 2 },
    q8: { numbers: 32, bytes: 40 },
    q8x16: { numbers: 16, bytes: 24 },
  };

/** Bytes of a row of `columns` numbers, a multiple of the form's block. */
export function rowBytesOf(form: WeightForm, columns: number): number {
  const { numbers, bytes } = FORM_BLOCKS[form];
  return (columns / numbers) * bytes;
}

/** A tensor as a matrix: its innermost dimension is the row; a vector or a single number is one row. */
export function matrixOf(shape: readonly number[]): { readonly rows: number; readonly columns: number } {
  return {
    rows: shape.slice(0, -1).reduce((product, n) => product * n, 1),
    columns: shape.at(-1) ?? 1,
  };
}

/** Floats as packed weights of form f32, in the memory that they are in. */
export function packFloats(shape: readonly number[], floats: Float32Array): PackedWeights {
  const { rows, columns } = matrixOf(shape);
  return {
    ...{ form: 'f32', rows, columns, rowBytes: 4 * columns },
    data: new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength),
  };
}

/** All numbers as float32, `[rows · columns]`, in memory of their own; exact. */
export function widenWeights({ form, rows, columns, data }: PackedWeights): Float32Array {
  const out = new Float32Array(rows * columns);
  switch (form) {
    case 'f32':
      new Uint8Array(out.buffer).set(data);
      break;
    case 'bf16': {
      const halves = new Uint16Array(data.buffer, data.byteOffset, out.length);
      const bits = new Uint32Array(out.buffer);
      for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
      break;
    }
    case 'f16': {
      const halves = new Uint16Array(data.buffer, data.byteOffset, out.length);
      const values = float16Values();
      for (let i = 0; i < out.length; i++) out[i] = values[halves[i]!]!;
      break;
    }
    default:
      widenBlocks(data, FORM_BLOCKS[form].numbers, out);
  }
  return out;
}

function widenBlocks(data: Uint8Array, numbers: number, out: Float32Array): void {
  const floats = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  const codes = new Int8Array(data.buffer, data.byteOffset, data.byteLength);
  let word = 0;
  let code = 8;
  for (let to = 0; to < out.length; to += numbers) {
    const scale = floats[word]!;
    const minimum = floats[word + 1]!;
    for (let i = 0; i < numbers; i++) out[to + i] = Math.fround(scale * codes[code + i]!) + minimum;
    word += 2 + numbers / 4;
    code += 8 + numbers;
  }
}

/** Whether two matrices hold the same numbers. */
export function sameWeights(a: PackedWeights, b: PackedWeights): boolean {
  if (a.rows !== b.rows || a.columns !== b.columns) return false;
  if (a.form === b.form && Buffer.compare(a.data, b.data) === 0) return true;
  const numbers = widenWeights(b);
  return widenWeights(a).every((number, i) => number === numbers[i]);
}
