/**
 * Many float32 numbers as entries of a cache, a block at a time.
 *
 * Ties go by the exact value of the double, to the even neighbour (3.125 → 3.12, 9.375 → 9.38), where `toFixed` takes
 * the larger (3.13). The rounding is that of `entries.ts`.
 */
import type { Entries, EntryFormat } from './entries.js';
import { openOwnMemory, type OwnMemory } from './own-memory.js';

/** Numbers of a block, which stays in the processor's cache with what becomes of it. */
const BLOCK = 65_536;

let opened: OwnMemory | undefined;

/** Float32 numbers, given as bits, as entries of the format; float32 ones are not copied. */
export function entriesOf(bits: Uint32Array, format: EntryFormat): Entries {
  if (format === 'float32') return bits;
  const { code, buffer, base } = (opened ??= openOwnMemory(6 * BLOCK));
  const from = new Uint32Array(buffer, base, BLOCK);
  const to = new Uint16Array(buffer, base + 4 * BLOCK, BLOCK);
  const halves = new Uint16Array(bits.length);
  for (let first = 0; first < bits.length; first += BLOCK) {
    const block = bits.subarray(first, first + BLOCK);
    from.set(block);
    code.roundToHalves(from.byteOffset, block.length, to.byteOffset);
    halves.set(to.subarray(0, block.length), first);
  }
  return halves;
}
