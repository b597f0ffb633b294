/**
 * Averages over tasks that weigh the same, however many samples each has: a weighted sum of means over strata.
 *
 * Its standard error and the size of an effect follow the same weights. A stratum is what is averaged first (a cell: one
 * task under one seed); its values are independent of those of the others.
 */
import { type Interval, scoreInterval } from '../../results/interval.js';
import { mean, standardError } from '../../results/statistics.js';

export interface Stratum {
  /** Share of this stratum's mean in the average; all together 1. */
  readonly weight: number;
  /** At least one. */
  readonly values: readonly number[];
}

/** Strata of equal tasks; a task of several cells gives each of them the same share. */
export function equalTasks(tasks: readonly (readonly (readonly number[])[])[]): Stratum[] {
  return tasks.flatMap((cells) =>
    cells.map((values) => ({ weight: 1 / (tasks.length * cells.length), values })),
  );
}

/** Σ weight · mean. */
export function stratifiedMean(strata: readonly Stratum[]): number {
  return strata.reduce((total, { weight, values }) => total + weight * mean(values), 0);
}

/** √Σ (weight · standard error)²; undefined where a stratum has fewer than two values. */
export function stratifiedError(strata: readonly Stratum[]): number | undefined {
  let variance = 0;
  for (const { weight, values } of strata) {
    const error = standardError(values);
    if (error === undefined) return undefined;
    variance += (weight * error) ** 2;
  }
  return Math.sqrt(variance);
}

/**
 * 95 % interval of an average of scores in percent, within [0, 100] as they are.
 *
 * Of one stratum that of its mean (`scoreInterval`: Wilson's for right and wrong). Of several, each stratum's distances from
 * its mean to its bounds add up as independent errors do (MOVER: Zou and Donner, Statistics in Medicine 27, 2008).
 */
export function interval95(strata: readonly Stratum[]): Interval {
  let [below, above] = [0, 0];
  for (const { weight, values } of strata) {
    const centre = mean(values);
    const [low, high] = scoreInterval(values.map((value) => value / 100))!;
    below += (weight * (centre - 100 * low)) ** 2;
    above += (weight * (100 * high - centre)) ** 2;
  }
  const centre = stratifiedMean(strata);
  return [Math.max(0, centre - Math.sqrt(below)), Math.min(100, centre + Math.sqrt(above))];
}

/**
 * Effect size of paired differences (Cohen's d_z): their mean over their standard deviation, both averaged over strata
 * (the deviation as the root of the weighted variances within strata). 0 where all differences are 0; undefined where
 * a stratum has fewer than two values, or nothing varies although something was lost.
 */
export function effectSize(differences: readonly Stratum[]): number | undefined {
  let variance = 0;
  for (const { weight, values } of differences) {
    const error = standardError(values);
    if (error === undefined) return undefined;
    variance += weight * values.length * error ** 2;
  }
  const centre = stratifiedMean(differences);
  if (variance === 0) return centre === 0 ? 0 : undefined;
  return centre / Math.sqrt(variance);
}
