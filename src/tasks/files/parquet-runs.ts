/**
 * Lengths of runs inside a page of a Parquet file, checked before it is decoded.
 *
 * No run of levels or of dictionary indices may be longer than the page has values: hyparquet writes out what a run
 * says, and a damaged length of two thousand million keeps it busy for ever.
 */
import type { ColumnMetaData, DataPageHeader, PageHeader, SchemaTree } from 'hyparquet';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { readVarInt } from 'hyparquet/src/thrift.js';

const DICTIONARY_ENCODINGS: readonly string[] = ['PLAIN_DICTIONARY', 'RLE_DICTIONARY'];

/** Where the reading of a page is. */
interface Reader {
  readonly view: DataView;
  offset: number;
}

/**
 * @param bytes of the page, as they are in the file
 * @param path from the root of the schema to the column
 * @throws RangeError where a run is impossible, Error where the page cannot be unpacked
 */
export function checkRuns(
  bytes: Uint8Array,
  page: PageHeader,
  { codec, type }: Pick<ColumnMetaData, 'codec' | 'type'>,
  path: SchemaTree[],
): void {
  const unpack = (part: Uint8Array, size: number): Reader =>
    readerOf(decompressPage(part, size, codec, undefined));
  const levels = {
    repetition: bitsFor(getMaxRepetitionLevel(path)),
    definition: bitsFor(getMaxDefinitionLevel(path)),
  };
  const size = page.uncompressed_page_size;
  if (page.data_page_header !== undefined) {
    const header = page.data_page_header;
    const reader = unpack(bytes, size);
    if (levels.repetition > 0) skipRuns(reader, levels.repetition, header.num_values);
    const nulls = levels.definition === 0 ? 0 : countNulls(reader, header, path, levels.definition);
    checkIndices(reader, header.encoding, type, header.num_values - nulls);
  } else if (page.data_page_header_v2 !== undefined) {
    const header = page.data_page_header_v2;
    const { repetition_levels_byte_length: repetition, definition_levels_byte_length: definition } = header;
    if (!(repetition >= 0 && definition >= 0 && repetition + definition <= bytes.length))
      throw new RangeError('levels that do not lie in their page');
    const raw = readerOf(bytes);
    if (levels.repetition > 0) checkLengths(raw, repetition, levels.repetition, header.num_values);
    raw.offset = repetition;
    if (levels.definition > 0)
      checkLengths(raw, repetition + definition, levels.definition, header.num_values);
    const values = bytes.subarray(repetition + definition);
    const reader =
      header.is_compressed === false ? readerOf(values) : unpack(values, size - repetition - definition);
    checkIndices(reader, header.encoding, type, header.num_values - header.num_nulls);
  }
}

/** Definition levels below the highest; the reader is behind them afterwards. */
function countNulls(
  reader: Reader,
  { num_values }: DataPageHeader,
  path: SchemaTree[],
  bits: number,
): number {
  const start = reader.offset;
  skipRuns(reader, bits, num_values);
  const levels = new Uint8Array(num_values);
  readRleBitPackedHybrid({ view: reader.view, offset: start }, bits, levels);
  const highest = getMaxDefinitionLevel(path);
  return levels.reduce((nulls, level) => nulls + Number(level !== highest), 0);
}

/** Runs behind their length in four bytes; the reader is behind them afterwards. */
function skipRuns(reader: Reader, bits: number, values: number): void {
  const length = reader.view.getUint32(reader.offset, true);
  reader.offset += 4;
  const end = reader.offset + length;
  if (end > reader.view.byteLength) throw new RangeError('runs that do not lie in their page');
  checkLengths(reader, end, bits, values);
  reader.offset = end;
}

function checkIndices(reader: Reader, encoding: string, type: string, values: number): void {
  if (type === 'BOOLEAN') {
    if (encoding === 'RLE') skipRuns(reader, 1, values);
  } else if (DICTIONARY_ENCODINGS.includes(encoding) && values > 0) {
    const bits = reader.view.getUint8(reader.offset++);
    // One value for all needs no runs.
    if (bits === 0 && reader.offset === reader.view.byteLength) return;
    if (bits > 32) throw new RangeError(`indices of ${bits} bits`);
    checkLengths(reader, reader.view.byteLength, bits, values);
  }
}

/** Runs of `bits` bits each, up to `end` or until there are `values`. */
function checkLengths(reader: Reader, end: number, bits: number, values: number): void {
  for (let left = values; left > 0;) {
    if (reader.offset >= end) throw new RangeError(`runs of ${values} values end ${left} too early`);
    const header = readVarInt(reader);
    const packed = (header & 1) === 1;
    const count = packed ? 8 * (header >>> 1) : header >>> 1;
    if (count > (packed ? 8 * Math.ceil(left / 8) : left))
      throw new RangeError(`a run of ${count} where ${left} values are left`);
    reader.offset += packed ? (count / 8) * bits : Math.ceil(bits / 8);
    left -= count;
  }
}

function readerOf(bytes: Uint8Array): Reader {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
}

/** Bits of a level that is at most this. */
function bitsFor(highest: number): number {
  return 32 - Math.clz32(highest);
}
