/**
 * Bits in bytes: number i in byte i >> 3 at bit i & 7.
 */

/** Packs `bits`, each 0 or 1, into the first ⌈length / 8⌉ bytes of `out`. */
export function packBits(bits: Uint8Array, out: Uint8Array): void {
  out.fill(0, 0, Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i++) out[i >> 3]! |= bits[i]! << (i & 7);
}

/** Number i. */
export function bitAt(bytes: Uint8Array, i: number): 0 | 1 {
  return ((bytes[i >> 3]! >> (i & 7)) & 1) as 0 | 1;
}
