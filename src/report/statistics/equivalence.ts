/**
 * Equivalence: whether a difference is shown to be small, which a test that finds no difference does not show.
 *
 * Two one-sided tests (Schuirmann 1987) of the mean of paired differences against −margin and +margin, normal. Its
 * standard error is that of Agresti and Min (2005), which adds half a sample that lost everything, half one that won
 * everything and one that is equal: ten samples without a single difference prove little, and must not pass.
 */
import { stratifiedMean, type Stratum } from './strata.js';
import { upperTail } from './normal.js';

/**
 * p-value of "the mean is outside (−margin, margin)"; below α, it is inside.
 *
 * @param differences of scores
 * @param margin in the unit of the differences, above 0
 * @param range largest possible difference, in that unit: 100 for percent, 1 for shares
 */
export function equivalencePValue(differences: readonly Stratum[], margin: number, range: number): number {
  return upperTail((margin - Math.abs(stratifiedMean(differences))) / cautiousError(differences, range));
}

/** Standard error of the mean with the added samples, which is never 0. */
export function cautiousError(differences: readonly Stratum[], range: number): number {
  return Math.sqrt(
    differences.reduce(
      (total, { weight, values }) => total + weight ** 2 * cautiousVariance(values, range),
      0,
    ),
  );
}

/** Square of the standard error of the mean, with the added samples. */
function cautiousVariance(values: readonly number[], range: number): number {
  const n = values.length + 2;
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value ** 2, range ** 2);
  return (squares / n - (sum / n) ** 2) / n;
}
