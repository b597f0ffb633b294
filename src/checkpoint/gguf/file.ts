/**
 * GGUF files, versions 2 and 3: metadata, tensor table, tensors.
 *
 * Every offset is checked against the file before anything is read.
 */
import { BinaryFile } from '../binary-file.js';
import { type StoredTensor, type TensorFile, tensorFile } from '../tensor-file.js';
import { GgufCursor, type GgufValue } from './cursor.js';
import { GgufMetadata } from './metadata.js';
import { GGUF_TYPES, OTHER_GGUF_TYPES } from './tensor-types.js';

const MAGIC = 0x46554747; // 'GGUF'
const MOST_DIMENSIONS = 4;

export interface GgufFile {
  readonly metadata: GgufMetadata;
  /** Tensors by the names in the file, as they lie in the file. */
  readonly tensors: TensorFile;
}

/**
 * Opens a GGUF file; tensors are read when asked for.
 *
 * Throws UserError (place = the file) on a bad magic number, an unsupported version or tensor type, counts and
 * lengths that exceed the file, and tensors outside it, overlapping or misaligned.
 */
export function openGguf(path: string): GgufFile {
  const file = BinaryFile.open(path);
  try {
    const cursor = new GgufCursor(file);
    const tensorCount = readPreamble(file, cursor);
    const metadata = readMetadata(file, cursor);
    const infos = readTensorTable(file, cursor, tensorCount, metadata);
    const tensors = tensorFile(file, infos, (name) => {
      const found = infos.get(name);
      if (found === undefined) throw file.fault(`has no tensor "${name}"`);
      return found;
    });
    return { metadata, tensors };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Magic and version; returns the number of tensors. */
function readPreamble(file: BinaryFile, cursor: GgufCursor): number {
  if (file.size < 4 || cursor.uint32() !== MAGIC) {
    throw file.fault('is not a GGUF file: it does not begin with "GGUF"');
  }
  const version = cursor.uint32();
  if (version !== 2 && version !== 3) {
    throw file.fault(`GGUF version ${version} is not supported`, 'Supported: 2 and 3, little-endian.');
  }
  return cursor.count('number of tensors', 32);
}

function readMetadata(file: BinaryFile, cursor: GgufCursor): GgufMetadata {
  const count = cursor.count('number of metadata entries', 13);
  const values = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.string();
    if (values.has(key)) throw file.fault(`metadata key "${key}" appears twice`);
    values.set(key, cursor.value());
  }
  return new GgufMetadata(values, file.path);
}

function readTensorTable(
  file: BinaryFile,
  cursor: GgufCursor,
  count: number,
  metadata: GgufMetadata,
): Map<string, StoredTensor> {
  const alignment = metadata.optionalNumber('general.alignment') ?? 32;
  if (!Number.isInteger(Math.log2(alignment)) || alignment < 1 || alignment > 65_536) {
    throw file.fault(`general.alignment: expected a power of two up to 65536, got ${alignment}`);
  }
  const relative = new Map<string, StoredTensor>();
  for (let i = 0; i < count; i++) {
    const name = cursor.string();
    if (relative.has(name)) throw file.fault(`tensor "${name}" appears twice`);
    relative.set(name, readTensorInfo(file, cursor, name, alignment));
  }
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const infos = new Map<string, StoredTensor>();
  for (const [name, info] of relative) infos.set(name, { ...info, start: dataStart + info.start });
  checkLayout(file, dataStart, infos);
  return infos;
}

/** One entry of the table; its `start` still counts from the start of the data. */
function readTensorInfo(file: BinaryFile, cursor: GgufCursor, name: string, alignment: number): StoredTensor {
  const dimensions = cursor.uint32();
  if (dimensions > MOST_DIMENSIONS)
    throw file.fault(`tensor "${name}" has ${dimensions} dimensions, at most 4 are allowed`);
  const innermostFirst = Array.from({ length: dimensions }, () => cursor.uint64());
  const typeNumber = cursor.uint32();
  const type = GGUF_TYPES.get(typeNumber);
  if (type === undefined) {
    const known = [...GGUF_TYPES.values()].map((t) => t.name).join(', ');
    const label = OTHER_GGUF_TYPES[typeNumber] ?? `number ${typeNumber}`;
    throw file.fault(`tensor "${name}": type ${label} is not supported`, `Supported: ${known}.`);
  }
  const start = cursor.uint64();
  if (start % alignment !== 0)
    throw file.fault(`tensor "${name}" starts at ${start}, not a multiple of ${alignment}`);
  const row = innermostFirst[0] ?? 1;
  if (row % type.blockValues !== 0) {
    throw file.fault(
      `tensor "${name}": rows of ${row} are not whole blocks of ${type.blockValues} (${type.name})`,
    );
  }
  const values = innermostFirst.reduce((product, n) => product * n, 1);
  const length = (values / type.blockValues) * type.blockBytes;
  return { type, shape: innermostFirst.reverse(), start, length };
}

function checkLayout(file: BinaryFile, dataStart: number, infos: ReadonlyMap<string, StoredTensor>): void {
  let at = dataStart;
  let previous = '';
  for (const [name, { start, length }] of [...infos].sort(([, a], [, b]) => a.start - b.start)) {
    if (start + length > file.size) {
      throw file.fault(
        `tensor "${name}" lies outside the file: it ends at byte ${start + length} of ${file.size}`,
        'The download may have been cut short.',
      );
    }
    if (start < at) throw file.fault(`tensors "${previous}" and "${name}" overlap`);
    at = start + length;
    previous = name;
  }
}
