/**
 * Number formats of cached entries, and how float32 numbers become them.
 *
 * Rounding is to nearest, ties to even, and NaN stays NaN: the same entry on every machine.
 */
import type { KernelMemory, Pointer } from './memory.js';

export type EntryFormat = 'bfloat16' | 'float32';

/** Entries of either format, as bits. */
export type Entries = Uint16Array | Uint32Array;

/** Bytes of one entry. */
export function entryBytes(format: EntryFormat): 2 | 4 {
  return format === 'bfloat16' ? 2 : 4;
}

/** float32 bits → bfloat16 bits. */
export function roundToBfloat16(bits: number): number {
  if ((bits & 0x7fff_ffff) > 0x7f80_0000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** The largest number of the format that is not above x; NaN stays NaN. */
export function roundDown(x: number, format: EntryFormat): number {
  if (format === 'float32' || Number.isNaN(x)) return x;
  const numbers = Float32Array.of(x);
  const bits = bitsOf(numbers);
  const cut = bits[0]! >>> 16;
  const isExact = (bits[0]! & 0xffff) === 0;
  bits[0] = (x < 0 && !isExact ? cut + 1 : cut) * 0x1_0000;
  return numbers[0]!;
}

/** The numbers that entries of the format hold in place of these. */
export function rounded(numbers: Float32Array, format: EntryFormat): Float32Array {
  if (format === 'float32') return numbers;
  const stored = numbers.slice();
  const bits = bitsOf(stored);
  for (let i = 0; i < bits.length; i++) bits[i] = roundToBfloat16(bits[i]!) * 0x1_0000;
  return stored;
}

/** A buffer of `count` entries; valid until the memory's next `alloc`. */
export function entriesAt(
  memory: KernelMemory,
  format: EntryFormat,
  pointer: Pointer,
  count: number,
): Entries {
  return format === 'bfloat16' ? memory.halves(pointer, count) : memory.words(pointer, count);
}

/** The same numbers as bits, not copied. */
export function bitsOf(numbers: Float32Array): Uint32Array {
  return new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}

/** Fills a buffer of `count` entries from its start; valid until the memory's next `alloc`. */
export class EntryWriter {
  private readonly entries: Entries;
  private at = 0;

  constructor(memory: KernelMemory, format: EntryFormat, pointer: Pointer, count: number) {
    this.entries = entriesAt(memory, format, pointer, count);
  }

  /** Appends `source[from, from + count)`, float32 numbers as bits. */
  write(source: Uint32Array, from: number, count: number): void {
    const { entries, at } = this;
    if (entries instanceof Uint32Array) entries.set(source.subarray(from, from + count), at);
    else for (let i = 0; i < count; i++) entries[at + i] = roundToBfloat16(source[from + i]!);
    this.at += count;
  }
}
