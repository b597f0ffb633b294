/**
 * The statistics of a cell: mean, standard error, and the test of a difference on the same samples.
 *
 * All of it is deterministic; samples are given in the order of their index.
 */

/** Two-sided 95 % quantile of the normal distribution. */
export const Z95 = 1.959963984540054;

export function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** Standard error of the mean, sd/√n with the n − 1 estimator; undefined for fewer than two values. */
export function standardError(values: readonly number[]): number | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const centre = mean(values);
  const squares = values.reduce((total, value) => total + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (n - 1) / n);
}

/** Up to this many samples that differ, every assignment of signs is counted: 2^16 of them. */
export const EXACT_LIMIT = 16;
/** Beyond it, this many random assignments are. */
export const DRAWS = 10_000;

/**
 * Two-sided p-value of the paired sign-flip permutation test: how often |Σ ±d| is at least |Σ d| where each sign
 * is as likely as the other. Differences of 0 have no sign and drop out; none left gives 1.
 *
 * Exact (2^m assignments) for m ≤ 16 non-zero differences. Beyond: 10,000 assignments from a generator that starts
 * from the same seed in each call, with (hits + 1) / (draws + 1), so that the same scores give the same p-value.
 */
export function signFlipPValue(differences: readonly number[]): number {
  const d = differences.filter((value) => value !== 0);
  const observed = Math.abs(d.reduce((total, value) => total + value, 0));
  // Sums of the same numbers in another order differ in their last bits.
  const threshold = observed - 1e-9 * d.reduce((total, value) => total + Math.abs(value), 0);
  return d.length <= EXACT_LIMIT ? exactPValue(d, threshold) : sampledPValue(d, threshold);
}

function exactPValue(d: readonly number[], threshold: number): number {
  const assignments = 2 ** d.length;
  let hits = 0;
  for (let signs = 0; signs < assignments; signs++) {
    let sum = 0;
    for (let i = 0; i < d.length; i++) sum += (signs >> i) & 1 ? -d[i]! : d[i]!;
    if (Math.abs(sum) >= threshold) hits++;
  }
  return hits / assignments;
}

function sampledPValue(d: readonly number[], threshold: number): number {
  const next = xorshift32(0x5eed_5eed);
  let hits = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    let sum = 0;
    let signs = 0;
    for (let i = 0; i < d.length; i++) {
      if (i % 32 === 0) signs = next();
      sum += (signs >>> (i % 32)) & 1 ? -d[i]! : d[i]!;
    }
    if (Math.abs(sum) >= threshold) hits++;
  }
  return (hits + 1) / (DRAWS + 1);
}

/** Marsaglia's xorshift (13, 17, 5). */
function xorshift32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}

/** The middle number, of two the mean; of at least one. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
