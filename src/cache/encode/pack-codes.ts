/**
 * Codes of 2, 4 or 8 bits in bytes: number i at bit i·b, lowest bits first. A code never crosses a byte.
 */

/** Packs `codes`, each below 2^bits, into the first ⌈length · bits / 8⌉ bytes of `out`; bits left over are 0. */
export function packCodes(codes: Uint8Array, bits: number, out: Uint8Array): void {
  const perByte = 8 / bits;
  for (let start = 0; start < codes.length; start += perByte) {
    let byte = 0;
    for (let i = Math.min(start + perByte, codes.length) - 1; i >= start; i--)
      byte = (byte << bits) | codes[i]!;
    out[start / perByte] = byte;
  }
}

/** Number i. */
export function codeAt(bytes: Uint8Array, bits: number, i: number): number {
  const bit = i * bits;
  return (bytes[bit >> 3]! >> (bit & 7)) & (2 ** bits - 1);
}
