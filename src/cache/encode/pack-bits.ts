/**
 * Bits in bytes: number i in byte i >> 3 at bit i & 7.
 */

/** Packs `bits`, each 0 or 1, into the first ⌈length / 8⌉ bytes of `out`; bits left over in the last one are 0. */
export function packBits(bits: Uint8Array, out: Uint8Array): void {
  const words = wordsOf(bits);
  // four at once: bytes 0 … 3 of a word times this number are its bits 28 … 31
  for (let word = 0; word + 1 < words.length; word += 2) {
    const low = Math.imul(words[word]!, 0x1020_4080) >>> 28;
    out[word >> 1] = low | ((Math.imul(words[word + 1]!, 0x1020_4080) >>> 28) << 4);
  }
  for (let start = 8 * (words.length >> 1); start < bits.length; start += 8) {
    let byte = 0;
    for (let i = Math.min(start + 8, bits.length) - 1; i >= start; i--) byte = (byte << 1) | bits[i]!;
    out[start >> 3] = byte;
  }
}

/** The bytes, four by four, up to the last whole word; none where they are not aligned. Not copied. */
export function wordsOf({ buffer, byteOffset, length }: Uint8Array): Int32Array {
  return byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, length >> 2) : new Int32Array(0);
}

/** Number i. */
export function bitAt(bytes: Uint8Array, i: number): 0 | 1 {
  return ((bytes[i >> 3]! >> (i & 7)) & 1) as 0 | 1;
}
