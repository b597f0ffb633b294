/**
 * The tensors of one file, read as packed weights: all rows, or some.
 *
 * Bytes go from the file into the result; formats whose blocks have to be packed anew pass through a buffer of one MiB.
 */
import type { BinaryFile } from './binary-file.js';
import { float16Values } from './float16.js';
import {
  FORM_BLOCKS,
  matrixOf,
  packFloats,
  type PackedWeights,
  type RowSpan,
  rowBytesOf,
  type WeightForm,
  widenWeights,
} from './packed-weights.js';
import type { WeightSource } from './types.js';

/** Bytes of the file that are packed at a time. */
const BUFFER = 2 ** 20;

/** A buffer of the file's bytes and the packed blocks that are made of them. */
export interface BlockBuffers {
  readonly source: DataView;
  /** Value of each float16 pattern. */
  readonly half: Float32Array;
  /** The same memory in three views. */
  readonly floats: Float32Array;
  readonly words: Int32Array;
  readonly codes: Int8Array;
}

/** Packs the block at byte `at` of the source; its first packed block begins at word `to` of 4 bytes. */
export type BlockPacker = (buffers: BlockBuffers, at: number, to: number) => void;

/** How a file stores the numbers of a tensor. */
export interface StoredType {
  /** What the format calls it. */
  readonly name: string;
  /** Numbers of a block, along the innermost dimension, and its bytes. */
  readonly blockValues: number;
  readonly blockBytes: number;
  /** What it is read as. */
  readonly form: WeightForm;
  /** Undefined: the bytes are of that form already. */
  readonly pack?: BlockPacker;
}

export interface StoredTensor {
  readonly type: StoredType;
  /** Row-major: outermost dimension first. */
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly start: number;
  readonly length: number;
}

/** Rows of `columns` numbers each, wherever the tensor's own rows end. */
export interface TensorPart {
  readonly columns: number;
  /** Ascending. */
  readonly spans: readonly RowSpan[];
}

/** The tensors as they lie in a file. */
export interface TensorFile extends WeightSource {
  /** Some of the numbers of a tensor. */
  part(name: string, part: TensorPart): PackedWeights;
}

/**
 * The tensors of an open file.
 *
 * @param find throws UserError on a name that the file does not have, or a type that is not read
 */
export function tensorFile(
  file: BinaryFile,
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  find: (name: string) => StoredTensor,
): TensorFile {
  const packed = (name: string, rows?: RowSpan): PackedWeights => {
    const tensor = find(name);
    const whole = matrixOf(tensor.shape);
    return readPart(file, name, tensor, {
      columns: whole.columns,
      spans: [rows ?? { first: 0, count: whole.rows }],
    });
  };
  return {
    names: [...tensors.keys()],
    shape: (name) => (tensors.get(name) ?? find(name)).shape,
    read: (name) => ownFloats(packed(name)),
    packed,
    packedBytes: (name) => {
      const { type, shape } = find(name);
      const { numbers, bytes } = FORM_BLOCKS[type.form];
      return Math.ceil(length(shape) / numbers) * bytes;
    },
    part: (name, part) => readPart(file, name, find(name), part),
    close: () => {
      file.close();
    },
  };
}

/** The numbers of weights that nobody else holds: widened, or in the memory in which they are. */
export function ownFloats(packed: PackedWeights): Float32Array {
  const { form, data } = packed;
  return form === 'f32'
    ? new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)
    : widenWeights(packed);
}

function readPart(
  file: BinaryFile,
  name: string,
  tensor: StoredTensor,
  { columns, spans }: TensorPart,
): PackedWeights {
  const { type, shape, start } = tensor;
  checkSpans(file, name, tensor, { columns, spans });
  if (columns % type.blockValues !== 0) {
    const { columns: all } = matrixOf(shape);
    const whole = readPart(file, name, tensor, {
      columns: all,
      spans: [{ first: 0, count: length(shape) / all }],
    });
    return pickNumbers(widenWeights(whole), { columns, spans });
  }
  const rows = spans.reduce((sum, { count }) => sum + count, 0);
  const rowBytes = rowBytesOf(type.form, columns);
  const stored = (columns / type.blockValues) * type.blockBytes;
  const data = file.allocate(rows * rowBytes, name);
  let at = 0;
  for (const { first, count } of spans) {
    const target = data.subarray(at, at + count * rowBytes);
    if (type.pack === undefined) file.readInto(target, start + first * stored, name);
    else packBlocks(file, name, type, type.pack, start + first * stored, target);
    at += target.length;
  }
  file.checkUnchanged(name);
  const packed = { form: type.form, rows, columns, rowBytes, data };
  return type.form === 'f16' && !allFinite(data) ? packFloats([rows, columns], widenWeights(packed)) : packed;
}

const length = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

function checkSpans(
  file: BinaryFile,
  name: string,
  { shape }: StoredTensor,
  { columns, spans }: TensorPart,
): void {
  const outside = spans.find(({ first, count }) => (first + count) * columns > length(shape));
  if (outside === undefined) return;
  const { first, count } = outside;
  throw file.fault(
    `tensor "${name}" of shape [${shape.join(', ')}] has no rows ${first} to ${first + count - 1} of ${columns} numbers`,
  );
}

/** Numbers that lie inside blocks, as those of one part of a quantised vector. */
function pickNumbers(all: Float32Array, { columns, spans }: TensorPart): PackedWeights {
  const parts = spans.map(({ first, count }) => all.subarray(first * columns, (first + count) * columns));
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return packFloats([out.length / columns, columns], out);
}

/** Fills `target` with the blocks that begin at byte `start` of the file. */
function packBlocks(
  file: BinaryFile,
  name: string,
  { form, blockValues, blockBytes }: StoredType,
  pack: BlockPacker,
  start: number,
  target: Uint8Array,
): void {
  const blockWords = rowBytesOf(form, blockValues) / 4;
  const blocks = target.length / (4 * blockWords);
  const most = Math.min(blocks, Math.floor(BUFFER / blockBytes));
  const bytes = new Uint8Array(most * blockBytes);
  const { buffer, byteOffset } = target;
  const buffers: BlockBuffers = {
    source: new DataView(bytes.buffer),
    half: float16Values(),
    floats: new Float32Array(buffer, byteOffset, target.length / 4),
    words: new Int32Array(buffer, byteOffset, target.length / 4),
    codes: new Int8Array(buffer, byteOffset, target.length),
  };
  for (let done = 0; done < blocks; done += most) {
    const count = Math.min(most, blocks - done);
    file.readInto(bytes.subarray(0, count * blockBytes), start + done * blockBytes, name);
    for (let block = 0; block < count; block++) {
      pack(buffers, block * blockBytes, (done + block) * blockWords);
    }
  }
  if (!finiteScales(buffers.floats, FORM_BLOCKS[form].bytes / 4)) {
    throw file.fault(
      `tensor "${name}": a block has a scale that is no finite number`,
      'The file is damaged, or the model was not converted properly; fetch it again.',
    );
  }
}

/** Whether scale and minimum of all blocks are finite: an infinity or NaN times 0 is NaN. */
function finiteScales(floats: Float32Array, blockWords: number): boolean {
  let sum = 0;
  for (let at = 0; at < floats.length; at += blockWords) sum += floats[at]! * 0 + floats[at + 1]! * 0;
  return sum === 0;
}

/** Whether no float16 is an infinity or NaN. */
function allFinite({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  const halves = new Uint16Array(buffer, byteOffset, byteLength / 2);
  for (let i = 0; i < halves.length; i++) if ((halves[i]! & 0x7c00) === 0x7c00) return false;
  return true;
}
