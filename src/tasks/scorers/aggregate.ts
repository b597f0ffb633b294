/**
 * From scores of samples to the numbers of the published tables: 0 to 100, two decimals.
 *
 * The order of arithmetic and the rounding differ from benchmark to benchmark and show in the last digit.
 */
import { round, roundScaled } from './rounding.js';

const DECIMALS = 2;

/** LongBench: 100 · sum / n, rounded. Undefined where there is no sample. */
export function longbenchTaskScore(scores: readonly number[]): number | undefined {
  return scores.length === 0 ? undefined : round((100 * sum(scores)) / scores.length, DECIMALS);
}

/** RULER: sum / n · 100, rounded. Undefined where there is no sample. */
export function rulerTaskScore(scores: readonly number[]): number | undefined {
  return scores.length === 0 ? undefined : round((sum(scores) / scores.length) * 100, DECIMALS);
}

/** LongBench-E's bins, by the length that the data set gives for a sample. */
export interface LengthBins {
  /** Below 4,000. */
  readonly '0-4k': number | undefined;
  /** Below 8,000. */
  readonly '4-8k': number | undefined;
  readonly '8k+': number | undefined;
}

/** The task score of each bin of lengths, as LongBench-E computes it with NumPy; undefined where a bin is empty. */
export function lengthBins(scores: readonly number[], lengths: readonly number[]): LengthBins {
  if (scores.length !== lengths.length) {
    throw new RangeError(`expected a length for each of ${scores.length} scores, found ${lengths.length}`);
  }
  const bin = (from: number, to: number) =>
    numpyTaskScore(scores.filter((_, i) => lengths[i]! >= from && lengths[i]! < to));
  return { '0-4k': bin(-Infinity, 4000), '4-8k': bin(4000, 8000), '8k+': bin(8000, Infinity) };
}

/** The mean of rounded task scores, rounded again: a task without a score is left out, a score of 0 counts. */
export function taskAverage(scores: readonly (number | undefined)[]): number | undefined {
  const known = scores.filter((score) => score !== undefined);
  return known.length === 0 ? undefined : round(sum(known) / known.length, DECIMALS);
}

function numpyTaskScore(scores: readonly number[]): number | undefined {
  return scores.length === 0 ? undefined : roundScaled(100 * (pairwiseSum(scores) / scores.length), DECIMALS);
}

/** From left to right, as Python's `sum` up to 3.11. */
function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** NumPy's sum of doubles: eight partial sums for up to 128 values, halves beyond. */
function pairwiseSum(values: readonly number[]): number {
  const n = values.length;
  if (n < 8) return sum(values);
  if (n > 128) {
    const half = Math.floor(n / 2) - (Math.floor(n / 2) % 8);
    return pairwiseSum(values.slice(0, half)) + pairwiseSum(values.slice(half));
  }
  const whole = n - (n % 8);
  const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, lane) =>
    sum(values.filter((_value, i) => i < whole && i % 8 === lane)),
  ) as [number, number, number, number, number, number, number, number];
  return values.slice(whole).reduce((total, value) => total + value, a + b + (c + d) + (e + f + (g + h)));
}
