/**
 * The K-quants of GGUF to float32, by the formula of each value: super-blocks of 256 with scales of their own for each 16 or 32.
 *
 * What packed weights are held against. Each function decodes one super-block (see `BlockDecoder` in dequant.ts).
 */
import { halfAt } from './half.js';

/** 16 bytes of scales (low) and minima (high nibble) per group of 16, 64 bytes of bit pairs, d, dmin: `d·scale·q − dmin·minimum`. */
export function dequantizeQ2K(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at + 80, half);
  const dmin = halfAt(bytes, at + 82, half);
  for (let i = 0; i < 256; i++) {
    const packed = bytes[at + (i >> 4)]!;
    const q = (bytes[at + 16 + pairByte(i)]! >> pairShift(i)) & 3;
    out[to + i] = Math.fround(d * (packed & 15)) * q - Math.fround(dmin * (packed >> 4));
  }
}

/** 32 bytes of third bits, 64 of bit pairs, 12 of 6-bit scales per group of 16, d: `d·(scale − 32)·(q − 4)`. */
export function dequantizeQ3K(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at + 108, half);
  for (let i = 0; i < 256; i++) {
    const j = i >> 4;
    const low = (bytes[at + 96 + (j & 7)]! >> (j < 8 ? 0 : 4)) & 15;
    const high = (bytes[at + 104 + (j & 3)]! >> (2 * (j >> 2))) & 3;
    const third = (bytes[at + (i & 31)]! >> (i >> 5)) & 1;
    const q = (bytes[at + 32 + pairByte(i)]! >> pairShift(i)) & 3;
    out[to + i] = d * ((low | (high << 4)) - 32) * (q - (third === 1 ? 0 : 4));
  }
}

/** Where value i of a super-block has its two bits: 128 values share 32 bytes, 32 at a time. */
function pairByte(i: number): number {
  return (i >> 7) * 32 + (i & 31);
}

function pairShift(i: number): number {
  return ((i >> 5) & 3) * 2;
}

/** 6-bit scale of group j (0…7) in the twelve packed bytes of Q4_K and Q5_K. */
function packedScale(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j]! & 63 : (bytes[at + j + 4]! & 15) | ((bytes[at + j - 4]! >> 6) << 4);
}

/** 6-bit minimum of group j in the same bytes. */
function packedMinimum(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j + 4]! & 63 : (bytes[at + j + 4]! >> 4) | ((bytes[at + j]! >> 6) << 4);
}

/** d, dmin, 12 bytes of scales, 128 bytes of nibbles: `d·scale_j·q − dmin·minimum_j` per group of 32. */
export function dequantizeQ4K(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at, half);
  const dmin = halfAt(bytes, at + 2, half);
  for (let j = 0; j < 8; j++) {
    const scale = d * packedScale(bytes, at + 4, j);
    const minimum = dmin * packedMinimum(bytes, at + 4, j);
    const nibbles = at + 16 + (j >> 1) * 32;
    const shift = (j & 1) * 4;
    for (let i = 0; i < 32; i++) {
      out[to + j * 32 + i] = scale * ((bytes[nibbles + i]! >> shift) & 15) - minimum;
    }
  }
}

/** As Q4_K, with 32 bytes of fifth bits (bit j belongs to group j) before the nibbles. */
export function dequantizeQ5K(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at, half);
  const dmin = halfAt(bytes, at + 2, half);
  for (let j = 0; j < 8; j++) {
    const scale = d * packedScale(bytes, at + 4, j);
    const minimum = dmin * packedMinimum(bytes, at + 4, j);
    const nibbles = at + 48 + (j >> 1) * 32;
    const shift = (j & 1) * 4;
    for (let i = 0; i < 32; i++) {
      const fifth = ((bytes[at + 16 + i]! >> j) & 1) << 4;
      out[to + j * 32 + i] = scale * (((bytes[nibbles + i]! >> shift) & 15) | fifth) - minimum;
    }
  }
}

/** 128 bytes of low nibbles, 64 of high bit pairs, 16 signed scales, d: `d·scale·(q − 32)` per group of 16. */
export function dequantizeQ6K(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  half: Float32Array,
): void {
  const d = halfAt(bytes, at + 208, half);
  for (let i = 0; i < 256; i++) {
    const part = i >> 7; // 128 values each
    const low = (bytes[at + part * 64 + (i & 63)]! >> (((i >> 6) & 1) * 4)) & 15;
    const high = (bytes[at + 128 + part * 32 + (i & 31)]! >> (((i >> 5) & 3) * 2)) & 3;
    const scale = d * ((bytes[at + 192 + (i >> 4)]! << 24) >> 24);
    out[to + i] = scale * ((low | (high << 4)) - 32);
  }
}
