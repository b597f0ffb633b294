/**
 * Walks through the header of a GGUF file: little-endian scalars, strings, arrays.
 *
 * No length is believed before it was compared with what is left of the file.
 */
import type { BinaryFile } from '../binary-file.js';

export type GgufValue = number | boolean | string | readonly GgufValue[];

/** Bytes fetched at a time. */
const WINDOW = 2 ** 20;
const DEEPEST_ARRAY = 4;

/** Value types by number: the least bytes that one value takes, and how it is read. */
interface ValueType {
  readonly leastBytes: number;
  readonly read: (cursor: GgufCursor, depth: number) => GgufValue;
}

const scalar = (bytes: number, get: (view: DataView, at: number) => number): ValueType => ({
  leastBytes: bytes,
  read: (cursor) => cursor.scalar(bytes, get),
});

const VALUE_TYPES: readonly ValueType[] = [
  scalar(1, (view, at) => view.getUint8(at)),
  scalar(1, (view, at) => view.getInt8(at)),
  scalar(2, (view, at) => view.getUint16(at, true)),
  scalar(2, (view, at) => view.getInt16(at, true)),
  scalar(4, (view, at) => view.getUint32(at, true)),
  scalar(4, (view, at) => view.getInt32(at, true)),
  scalar(4, (view, at) => view.getFloat32(at, true)),
  { leastBytes: 1, read: (cursor) => cursor.scalar(1, (view, at) => view.getUint8(at)) !== 0 },
  { leastBytes: 8, read: (cursor) => cursor.string() },
  { leastBytes: 12, read: (cursor, depth) => cursor.array(depth) },
  scalar(8, (view, at) => Number(view.getBigUint64(at, true))),
  scalar(8, (view, at) => Number(view.getBigInt64(at, true))),
  scalar(8, (view, at) => view.getFloat64(at, true)),
];

export class GgufCursor {
  private window = new DataView(new ArrayBuffer(0));
  private windowStart = 0;
  private readonly utf8 = new TextDecoder();
  /** Bytes from the start of the file. */
  position = 0;

  constructor(private readonly file: BinaryFile) {}

  /** Reads one scalar of `bytes` bytes. */
  scalar<T>(bytes: number, get: (view: DataView, at: number) => T): T {
    const at = this.advance(bytes);
    return get(this.window, at);
  }

  uint32(): number {
    return this.scalar(4, (view, at) => view.getUint32(at, true));
  }

  /** A 64-bit offset or dimension. */
  uint64(): number {
    const value = this.scalar(8, (view, at) => view.getBigUint64(at, true));
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw this.file.fault(`absurd 64-bit number ${value.toString()}`);
    return Number(value);
  }

  /** A 64-bit count of items that take at least `leastBytes` each of what is left of the file. */
  count(what: string, leastBytes: number): number {
    const count = this.scalar(8, (view, at) => view.getBigUint64(at, true));
    const left = this.file.size - this.position;
    if (count > BigInt(Math.floor(left / leastBytes))) {
      throw this.file.fault(
        `${what}: ${count.toString()} cannot fit into the ${left} bytes that are left of the file`,
        'The file is damaged, or the download was cut short.',
      );
    }
    return Number(count);
  }

  string(): string {
    const length = this.count('string length', 1);
    const at = this.advance(length);
    return this.utf8.decode(new Uint8Array(this.window.buffer, this.window.byteOffset + at, length));
  }

  /** A value of the type whose number comes first. */
  value(depth = 0): GgufValue {
    return this.valueType().read(this, depth);
  }

  array(depth: number): GgufValue[] {
    if (depth >= DEEPEST_ARRAY) throw this.file.fault('arrays are nested too deeply');
    const type = this.valueType();
    const length = this.count('array length', type.leastBytes);
    const values: GgufValue[] = [];
    for (let i = 0; i < length; i++) values.push(type.read(this, depth + 1));
    return values;
  }

  private valueType(): ValueType {
    const number = this.uint32();
    const type = VALUE_TYPES[number];
    if (type === undefined) throw this.file.fault(`unknown metadata value type ${number}`);
    return type;
  }

  /** Makes the next `bytes` bytes available and steps over them; returns their place in the window. */
  private advance(bytes: number): number {
    const start = this.position;
    if (start + bytes > this.windowStart + this.window.byteLength) {
      const length = Math.max(bytes, Math.min(WINDOW, this.file.size - start));
      this.window = new DataView(this.file.read(start, length).buffer);
      this.windowStart = start;
    }
    this.position += bytes;
    return start - this.windowStart;
  }
}
