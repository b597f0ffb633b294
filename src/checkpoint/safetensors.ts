/**
 * safetensors files: an 8-byte little-endian header length, a JSON header, then the tensors' bytes.
 *
 * Every check is made before a byte of data is read.
 */
import * as z from 'zod';
import { parseJson } from '../base/json.js';
import { BinaryFile } from './binary-file.js';
import { type StoredType, type TensorFile, tensorFile } from './tensor-file.js';

/** The limit of the format's reference implementation, in bytes. */
const LARGEST_HEADER = 100_000_000;

const DTYPE_BYTES: Readonly<Record<string, number>> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, U16: 2, I16: 2, F16: 2, BF16: 2 },
  ...{ U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8 },
};

/** What weights may be stored as. */
const STORED: ReadonlyMap<string, StoredType> = new Map([
  ['F32', { name: 'F32', blockValues: 1, blockBytes: 4, form: 'f32' }],
  ['F16', { name: 'F16', blockValues: 1, blockBytes: 2, form: 'f16' }],
  ['BF16', { name: 'BF16', blockValues: 1, blockBytes: 2, form: 'bf16' }],
]);

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()).max(8),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly start: number;
  readonly length: number;
}

/**
 * Opens one .safetensors file; tensors are read when asked for.
 *
 * Throws UserError (place = the file) on a header that does not fit the file, is not JSON, names an unknown
 * dtype, or whose tensors lie outside the file, overlap, leave gaps, or differ in size from shape × dtype.
 */
export function openSafetensors(path: string): TensorFile {
  const file = BinaryFile.open(path);
  try {
    const entries = readHeader(file);
    return tensorFile(file, entries, (name) => {
      const entry = entries.get(name);
      if (entry === undefined) throw file.fault(`has no tensor "${name}"`);
      const type = STORED.get(entry.dtype);
      if (type === undefined)
        throw file.fault(`tensor "${name}" is ${entry.dtype}; weights must be F32, F16 or BF16`);
      return { ...entry, type };
    });
  } catch (error) {
    file.close();
    throw error;
  }
}

function readHeader(file: BinaryFile): Map<string, Entry> {
  if (file.size < 8) throw file.fault(`is too short for a safetensors file: ${file.size} bytes`);
  const length = new DataView(file.read(0, 8).buffer).getBigUint64(0, true);
  if (length > BigInt(Math.min(file.size - 8, LARGEST_HEADER))) {
    throw file.fault(
      `the header should have ${length.toString()} bytes, but ${file.size - 8} follow its length`,
      'Not a safetensors file, or the download was cut short.',
    );
  }
  const dataStart = 8 + Number(length);
  const text = new TextDecoder().decode(file.read(8, Number(length)));
  const header = z.record(z.string(), z.unknown()).safeParse(parseJson(text, file.path));
  if (!header.success) throw file.fault('the header is not a JSON object');
  const entries = new Map<string, Entry>();
  for (const [name, value] of Object.entries(header.data)) {
    if (name !== '__metadata__') entries.set(name, parseEntry(file, dataStart, name, value));
  }
  checkLayout(file, dataStart, entries);
  return entries;
}

function parseEntry(file: BinaryFile, dataStart: number, name: string, value: unknown): Entry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    throw file.fault(`tensor "${name}": expected dtype, shape and data_offsets of whole numbers`);
  }
  const { dtype, shape } = parsed.data;
  const [begin, end] = parsed.data.data_offsets;
  const width = Object.hasOwn(DTYPE_BYTES, dtype) ? DTYPE_BYTES[dtype]! : undefined;
  if (width === undefined) {
    throw file.fault(`tensor "${name}": unknown dtype "${dtype}"`, 'Supported: F32, F16, BF16.');
  }
  if (begin > end || dataStart + end > file.size) {
    throw file.fault(
      `tensor "${name}" lies outside the file: bytes ${begin} to ${end} of ${file.size - dataStart}`,
      'The download may have been cut short.',
    );
  }
  const expected = shape.reduce((product, n) => product * n, width);
  if (expected !== end - begin) {
    throw file.fault(
      `tensor "${name}": shape [${shape.join(', ')}] of ${dtype} takes ${expected} bytes, the header gives ${end - begin}`,
    );
  }
  return { dtype, shape, start: dataStart + begin, length: end - begin };
}

/** The format demands that the tensors fill the data without overlaps or holes. */
function checkLayout(file: BinaryFile, dataStart: number, entries: ReadonlyMap<string, Entry>): void {
  const ordered = [...entries].sort(([, a], [, b]) => a.start - b.start || a.length - b.length);
  let at = dataStart;
  let previous = '';
  for (const [name, { start, length }] of ordered) {
    if (start < at) throw file.fault(`tensors "${previous}" and "${name}" overlap`);
    if (start > at) throw file.fault(`${start - at} bytes before tensor "${name}" belong to no tensor`);
    at += length;
    previous = name;
  }
  if (at !== file.size) throw file.fault(`the last ${file.size - at} bytes belong to no tensor`);
}
