/**
 * The K-quants of GGUF as packed weights: super-blocks of 256 values with scales of their own for each 16 or 32.
 *
 * Each function packs one super-block into 8 blocks of 32 or 16 blocks of 16. Products of the two scales are exact in float32.
 */
import type { BlockBuffers } from '../tensor-file.js';
import { EACH, halfAt, lessEach, putScale } from './pack-blocks.js';

/** Words of a packed block of 32 and of 16 numbers. */
const OF_32 = 10;
const OF_16 = 6;

/** 16 bytes of scales (low) and minima (high nibble) per group of 16, 64 bytes of bit pairs, d, dmin: `d·scale·q − dmin·minimum`. */
export function packQ2K(buffers: BlockBuffers, at: number, to: number): void {
  const { source, words } = buffers;
  const d = halfAt(buffers, at + 80);
  const dmin = halfAt(buffers, at + 82);
  for (let j = 0; j < 16; j++) {
    const both = source.getUint8(at + j);
    const block = to + OF_16 * j;
    putScale(buffers, block, d * (both & 15), -(dmin * (both >> 4)));
    const pairs = at + 16 + pairBytes(j);
    for (let i = 0; i < 4; i++) {
      words[block + 2 + i] = (source.getInt32(pairs + 4 * i, true) >>> pairShift(j)) & (3 * EACH);
    }
  }
}

/** 32 bytes of third bits, 64 of bit pairs, 12 of 6-bit scales per group of 16, d: `d·(scale − 32)·(q − 4)`. */
export function packQ3K(buffers: BlockBuffers, at: number, to: number): void {
  const { source, words } = buffers;
  const d = halfAt(buffers, at + 108);
  for (let j = 0; j < 16; j++) {
    const low = (source.getUint8(at + 96 + (j & 7)) >> (j < 8 ? 0 : 4)) & 15;
    const high = (source.getUint8(at + 104 + (j & 3)) >> (2 * (j >> 2))) & 3;
    const block = to + OF_16 * j;
    putScale(buffers, block, d * ((low | (high << 4)) - 32), -0);
    const pairs = at + 32 + pairBytes(j);
    const thirds = at + (j & 1) * 16;
    for (let i = 0; i < 4; i++) {
      const pair = (source.getInt32(pairs + 4 * i, true) >>> pairShift(j)) & (3 * EACH);
      const third = (source.getInt32(thirds + 4 * i, true) >>> (j >> 1)) & EACH;
      words[block + 2 + i] = lessEach(pair | (third << 2), 4);
    }
  }
}

/** Where group j of 16 has its bit pairs: 128 values share 32 bytes, 32 at a time. */
function pairBytes(j: number): number {
  return (j >> 3) * 32 + (j & 1) * 16;
}

function pairShift(j: number): number {
  return ((j >> 1) & 3) * 2;
}

/** d, dmin, 12 bytes of scales, 128 bytes of nibbles: `d·scale_j·q − dmin·minimum_j` per group of 32. */
export function packQ4K(buffers: BlockBuffers, at: number, to: number): void {
  const { source, words } = buffers;
  for (let j = 0; j < 8; j++) {
    const block = to + OF_32 * j;
    putPackedScale(buffers, at, j, block);
    const nibbles = at + 16 + (j >> 1) * 32;
    const shift = (j & 1) * 4;
    for (let i = 0; i < 8; i++) {
      words[block + 2 + i] = (source.getInt32(nibbles + 4 * i, true) >>> shift) & (15 * EACH);
    }
  }
}

/** As Q4_K, with 32 bytes of fifth bits (bit j belongs to group j) before the nibbles. */
export function packQ5K(buffers: BlockBuffers, at: number, to: number): void {
  const { source, words } = buffers;
  for (let j = 0; j < 8; j++) {
    const block = to + OF_32 * j;
    putPackedScale(buffers, at, j, block);
    const nibbles = at + 48 + (j >> 1) * 32;
    const shift = (j & 1) * 4;
    for (let i = 0; i < 8; i++) {
      const fifth = (source.getInt32(at + 16 + 4 * i, true) >>> j) & EACH;
      words[block + 2 + i] =
        ((source.getInt32(nibbles + 4 * i, true) >>> shift) & (15 * EACH)) | (fifth << 4);
    }
  }
}

/** Scale and minimum of group j (0…7) of Q4_K and Q5_K: d, dmin, then 6 bits of each in twelve bytes. */
function putPackedScale(buffers: BlockBuffers, at: number, j: number, block: number): void {
  const { source } = buffers;
  const first = source.getUint8(at + 4 + (j & 3));
  const second = source.getUint8(at + 8 + (j & 3));
  const third = source.getUint8(at + 12 + (j & 3));
  const scale = j < 4 ? first & 63 : (third & 15) | ((first >> 6) << 4);
  const minimum = j < 4 ? second & 63 : (third >> 4) | ((second >> 6) << 4);
  putScale(buffers, block, halfAt(buffers, at) * scale, -(halfAt(buffers, at + 2) * minimum));
}

/** 128 bytes of low nibbles, 64 of high bit pairs, 16 signed scales, d: `d·scale·(q − 32)` per group of 16. */
export function packQ6K(buffers: BlockBuffers, at: number, to: number): void {
  const { source, words } = buffers;
  const d = halfAt(buffers, at + 208);
  for (let j = 0; j < 16; j++) {
    const block = to + OF_16 * j;
    putScale(buffers, block, d * source.getInt8(at + 192 + j), -0);
    const nibbles = at + (j >> 3) * 64 + (j & 3) * 16;
    const shift = ((j >> 2) & 1) * 4;
    const pairs = at + 128 + pairBytes(j);
    for (let i = 0; i < 4; i++) {
      const low = (source.getInt32(nibbles + 4 * i, true) >>> shift) & (15 * EACH);
      const high = (source.getInt32(pairs + 4 * i, true) >>> pairShift(j)) & (3 * EACH);
      words[block + 2 + i] = lessEach(low | (high << 4), 32);
    }
  }
}
