/**
 * The largest count whose cost stays within a limit, with few evaluations of the cost.
 *
 * Costs grow about linearly, so each guess goes as far from the one before as the slope says, ever
 * farther where guesses keep falling on the same side, and at most to the middle of what is left.
 */

export interface FitRange {
  readonly least: number;
  readonly most?: number;
  /** The distance from `least` to the first guess, from which the slope is estimated. */
  readonly stride: number;
  readonly limit: number;
}

/**
 * The largest `count ≥ least` with `cost(count) ≤ limit`: the count after it does not fit, or it is `most`. Undefined
 * where even `least` costs too much.
 */
export function largestFitting(
  cost: (count: number) => number,
  { least, most = Infinity, stride, limit }: FitRange,
): number | undefined {
  const base = cost(least);
  if (base > limit) return undefined;
  let fits = least;
  let exceeds = most + 1;
  let guess = Math.min(least + stride, most);
  let repeats = 0;
  let fitted: boolean | undefined;
  while (exceeds - fits > 1) {
    const paid = cost(guess);
    repeats = paid <= limit === fitted ? repeats + 1 : 0;
    fitted = paid <= limit;
    if (fitted) fits = guess;
    else exceeds = guess;
    const slope = Math.max((paid - base) / (guess - least), 1e-3);
    const units = Math.max(1, Math.abs(Math.floor((limit - paid) / slope)));
    const far = units * 2 ** Math.max(0, repeats - 1);
    const step = Math.max(1, Math.min(far, Math.floor((exceeds - fits) / 2)));
    guess += fitted ? step : -step;
  }
  return fits;
}
