/**
 * Random numbers that belong to a token: the same layer, KV head, position and seed give the same ones, in whatever
 * order tokens are visited and whichever of them are kept.
 *
 * SplitMix32, started at a hash of the key.
 */

/** Uniform numbers in (0, 1), one after the other. */
export type Draws = () => number;

/** A stream of its own for each key of whole numbers. */
export function drawsFor(...key: readonly number[]): Draws {
  let state = key.reduce((hash, part) => mix(hash ^ part), 0x9e37_79b9);
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    return ((mix(state) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** From the exponential distribution of the given mean. */
export function exponential(draws: Draws, mean: number): number {
  return -mean * Math.log(draws());
}

/** From the normal distribution, by Box and Muller; takes two draws. */
export function normal(draws: Draws, mean: number, deviation: number): number {
  return mean + deviation * Math.sqrt(-2 * Math.log(draws())) * Math.cos(2 * Math.PI * draws());
}

/** A bijection of 32 bits in which every bit moves every other: SplitMix32's. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0_aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a_2d97);
  return x ^ (x >>> 15);
}
