/**
 * Seeded draws for tasks: the same key gives the same numbers on every machine and in every version of Node.
 *
 * xoshiro128** (Blackman and Vigna, 2018), seeded by SHA-256 of the key: a draw does not depend on what was drawn
 * before.
 */
import { createHash } from 'node:crypto';

/** A stream of its own for each key, e.g. `randomFor('ruler/niah_single_1', 4096, seed, index)`. */
export function randomFor(...key: readonly (string | number)[]): Random {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest();
  return new Random([0, 4, 8, 12].map((at) => digest.readUInt32LE(at)));
}

export class Random {
  private readonly state: Uint32Array;

  /** Four 32-bit words, not all 0. */
  constructor(state: readonly number[]) {
    this.state = Uint32Array.from(state);
  }

  /** Uniform in [0, 2³²). */
  uint32(): number {
    const s = this.state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** Uniform integer in [0, n), 1 ≤ n ≤ 2³². */
  below(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    let draw = this.uint32();
    while (draw >= limit) draw = this.uint32();
    return draw % n;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** A new list in random order. */
  shuffle<T>(list: readonly T[]): T[] {
    return this.sample(list, list.length);
  }

  /** `count` entries of the list without replacement, in random order. */
  sample<T>(list: readonly T[], count: number): T[] {
    const pool = [...list];
    for (let i = 0; i < count; i++) {
      const j = i + this.below(pool.length - i);
      [pool[i], pool[j]] = [pool[j]!, pool[i]!];
    }
    return pool.slice(0, count);
  }
}

function rotateLeft(x: number, bits: number): number {
  return ((x << bits) | (x >>> (32 - bits))) >>> 0;
}
