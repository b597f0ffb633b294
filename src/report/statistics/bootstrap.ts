/**
 * Paired bootstrap of a loss: how far its mean would move had other samples been drawn.
 *
 * Resampling is within each stratum, with replacement, so that each keeps its size and weight; a percentile interval is
 * read from it, and the share of resamples that stray from the mean as far as the mean lies from 0. Efron and
 * Tibshirani, An Introduction to the Bootstrap (1993), 13.3 and 16.4. Seeded: equal input, equal output.
 */
import { stratifiedMean, type Stratum } from './strata.js';

export interface BootstrapOptions {
  /** Resamples, at least 1. Default 10,000. */
  readonly draws?: number;
  /** A whole number from 0 to 2³² − 1. Default 42. */
  readonly seed?: number;
}

export interface BootstrapResult {
  readonly mean: number;
  /** 2.5 % and 97.5 % quantiles of the resampled means. */
  readonly low: number;
  readonly high: number;
  /** Two-sided, (hits + 1) / (draws + 1), never 0. */
  readonly pValue: number;
}

export const BOOTSTRAP_DRAWS = 10_000;
export const BOOTSTRAP_SEED = 42;

/** Resamples paired differences. Every stratum has at least one. */
export function pairedBootstrap(
  differences: readonly Stratum[],
  { draws = BOOTSTRAP_DRAWS, seed = BOOTSTRAP_SEED }: BootstrapOptions = {},
): BootstrapResult {
  const centre = stratifiedMean(differences);
  const next = splitmix32(seed);
  const means = new Float64Array(draws);
  for (const { weight, values } of differences) {
    const n = values.length;
    const list = Float64Array.from(values, (value) => (weight * value) / n);
    if (list.every((value) => value === list[0])) {
      // Whatever is drawn is the same.
      means.forEach((sum, draw) => (means[draw] = sum + n * list[0]!));
      continue;
    }
    for (let draw = 0; draw < draws; draw++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += list[Math.floor(next() * n)]!;
      means[draw]! += sum;
    }
  }
  // Sums of the same numbers in another order differ in their last bits.
  const least = Math.abs(centre) - 1e-9 * largest(differences);
  let hits = 0;
  for (const resampled of means) if (Math.abs(resampled - centre) >= least) hits++;
  means.sort();
  return {
    mean: centre,
    low: quantile(means, 0.025),
    high: quantile(means, 0.975),
    pValue: (hits + 1) / (draws + 1),
  };
}

/** Quantile of an ascending list, linear between neighbours. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}

function largest(strata: readonly Stratum[]): number {
  return strata.reduce(
    (most, { values }) => values.reduce((m, value) => Math.max(m, Math.abs(value)), most),
    0,
  );
}

/** Uniform in [0, 1), 32 bits: Steele and others' SplitMix in its 32-bit form. */
function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = state ^ (state >>> 16);
    x = Math.imul(x, 0x21f0aaad);
    x ^= x >>> 15;
    x = Math.imul(x, 0x735a2d97);
    x ^= x >>> 15;
    return (x >>> 0) / 2 ** 32;
  };
}
