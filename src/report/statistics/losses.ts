/**
 * What each pipeline lost against `full`, and how sure that is.
 *
 * Small samples fool any single test, so a verdict needs several. A difference is shown by the bootstrap; where so few
 * pairs differ that it is too sure, by the exact sign-flip permutation test as well. All comparisons of a list count as
 * one family: their p-values are corrected together, those of a difference and those of the equivalence test each by
 * Holm. "No loss" is said only where the equivalence test says it; where neither test decides, that is what is said.
 */
import { EXACT_LIMIT, signFlipPValue, Z95 } from '../../results/statistics.js';
import { effectSize, type Stratum } from './strata.js';
import { type BootstrapOptions, type BootstrapResult, pairedBootstrap } from './bootstrap.js';
import { cautiousError, equivalencePValue } from './equivalence.js';
import { holm } from './holm.js';

export const ALPHA = 0.05;
/** Points of a score in percent that count as no loss. */
export const DEFAULT_MARGIN = 1;
/** Largest difference of two scores in percent. */
const RANGE = 100;
/** Fewer pairs than this have no p-value: a bootstrap of so few is not one. */
export const FEWEST_PAIRS = 10;

export type Verdict =
  /** Significantly below full. */
  | 'loss'
  /** Significantly above full. */
  | 'gain'
  /** Equivalent to full within the margin, by test. */
  | 'equivalent'
  /** Significantly different, and by test smaller than the margin. */
  | 'small loss'
  | 'small gain'
  /** Neither a difference nor its absence is shown. */
  | 'undecided'
  /** Too few pairs to test. */
  | 'too few samples';

export interface Loss {
  /** Mean of own − full in points, tasks weighing the same. */
  readonly delta: number;
  readonly low: number;
  readonly high: number;
  /** Corrected; undefined where there are too few pairs. */
  readonly pValue: number | undefined;
  readonly equivalencePValue: number | undefined;
  /** Cohen's d_z. */
  readonly effect: number | undefined;
  readonly pairs: number;
  readonly verdict: Verdict;
}

export interface LossOptions extends BootstrapOptions {
  /** Points, above 0. Default 1. */
  readonly margin?: number;
}

/** One entry per list of strata: differences own − full, in points (scores in percent). */
export function losses(
  comparisons: readonly (readonly Stratum[])[],
  { margin = DEFAULT_MARGIN, ...bootstrap }: LossOptions = {},
): Loss[] {
  const tested = comparisons.map((strata) => {
    const { mean, low, high, pValue } = withWidth(pairedBootstrap(strata, bootstrap), strata);
    const pairs = strata.reduce((total, { values }) => total + values.length, 0);
    const enough = pairs >= FEWEST_PAIRS && strata.every(({ values }) => values.length >= 2);
    const equivalence = equivalencePValue(strata, margin, RANGE);
    return {
      delta: mean,
      low,
      high,
      pairs,
      effect: effectSize(strata),
      enough,
      pValue: Math.max(pValue, exactPValue(strata)),
      equivalence,
    };
  });
  const family = tested.filter(({ enough }) => enough);
  const different = holm(family.map(({ pValue }) => pValue));
  const equal = holm(family.map(({ equivalence }) => equivalence));
  return tested.map(({ delta, low, high, pairs, effect, enough }, index) => {
    const at = enough ? family.indexOf(tested[index]!) : -1;
    const pValue = different[at];
    const equivalence = equal[at];
    return {
      delta,
      low,
      high,
      pairs,
      effect,
      pValue,
      equivalencePValue: equivalence,
      verdict: verdictOf(delta, pValue, equivalence),
    };
  });
}

/**
 * Pairs that are all the same resample to themselves; an interval of no width would say that more of them cannot differ. It is
 * then the normal one of the equivalence test's standard error.
 */
function withWidth(result: BootstrapResult, strata: readonly Stratum[]): BootstrapResult {
  if (result.low < result.high) return result;
  const reach = Z95 * cautiousError(strata, RANGE);
  const { mean } = result;
  return { ...result, low: Math.max(-RANGE, mean - reach), high: Math.min(RANGE, mean + reach) };
}

/** Of the sign-flip test, where every assignment of signs can be counted; 0 where there are too many. */
function exactPValue(strata: readonly Stratum[]): number {
  const summands = strata.flatMap(({ weight, values }) =>
    values.map((value) => (weight * value) / values.length),
  );
  const differing = summands.filter((value) => value !== 0);
  return differing.length > EXACT_LIMIT ? 0 : signFlipPValue(differing);
}

function verdictOf(delta: number, pValue: number | undefined, equivalence: number | undefined): Verdict {
  if (pValue === undefined || equivalence === undefined) return 'too few samples';
  const direction = delta < 0 ? 'loss' : 'gain';
  if (equivalence < ALPHA) return pValue < ALPHA ? `small ${direction}` : 'equivalent';
  return pValue < ALPHA ? direction : 'undecided';
}
