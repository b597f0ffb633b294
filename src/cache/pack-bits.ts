/**
 * Bits in bytes: number i in byte i >> 3 at bit i & 7.
 */

/** Packs `bits`, each 0 or 1, into the first ⌈length / 8⌉ bytes of `out`; bits left over in the last one are 0. */
export function packBits(bits: Uint8Array, out: Uint8Array): void {
  for (let start = 0; start < bits.length; start += 8) {
    let byte = 0;
    for (let i = Math.min(start + 8, bits.length) - 1; i >= start; i--) byte = (byte << 1) | bits[i]!;
    out[start >> 3] = byte;
  }
}

/** Number i. */
export function bitAt(bytes: Uint8Array, i: number): 0 | 1 {
  return ((bytes[i >> 3]! >> (i & 7)) & 1) as 0 | 1;
}
