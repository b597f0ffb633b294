/**
 * The 95 % interval of a mean score.
 *
 * Scores are bounded: an interval of the mean must be, too, and twelve right answers of twelve are no proof of 100 %.
 */
import { mean, Z95 } from './statistics.js';

/** Bounds, the lower one first. */
export type Interval = readonly [low: number, high: number];

/**
 * Of scores in [0, 1], whose mean it holds and within which it stays; undefined without scores.
 *
 * Right or wrong (0 or 1): Wilson's score interval (1927). Other scores vary less than right/wrong ones of the same mean m,
 * whose variance is m (1 − m): theirs makes n of them worth n · m (1 − m) / variance of those, and Wilson's interval is that
 * of so many. The variance counts two observations of the right/wrong kind in, so that scores that happen to be equal do not
 * look certain.
 */
export function scoreInterval(scores: readonly number[]): Interval | undefined {
  const n = scores.length;
  if (n === 0) return undefined;
  const centre = Math.min(1, Math.max(0, mean(scores)));
  const most = centre * (1 - centre);
  const squares = scores.reduce((total, score) => total + (score - centre) ** 2, 0);
  const variance = (squares + 2 * most) / (n + 2);
  return wilson(centre, variance === 0 ? n : (n * most) / variance);
}

/** Wilson's score interval of a share `p` seen in `n` trials, which need not be whole. */
function wilson(p: number, n: number): Interval {
  const z2 = Z95 ** 2;
  const middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const reach = (Z95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  // Rounding must not push a bound over the mean or out of [0, 1].
  return [Math.max(0, Math.min(p, middle - reach)), Math.min(1, Math.max(p, middle + reach))];
}
