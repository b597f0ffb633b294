/**
 * The largest count whose cost stays within a limit, with few evaluations of the cost.
 *
 * Decides the search: costs grow about linearly, so the next guess follows the slope seen so far, and bisection
 * takes over where that does not settle. Knows nothing of what is counted or paid.
 */

/** Guesses by slope before bisection takes over. */
const PATIENCE = 12;

/**
 * The largest `count ≥ least` with `cost(count) ≤ limit`: the count after it does not fit, or it is `most`. Undefined
 * where even `least` costs too much. `stride` is the distance to the first guess, from which the slope is estimated.
 */
export function largestFitting(
  cost: (count: number) => number,
  {
    least,
    most = Infinity,
    stride,
    limit,
  }: { readonly least: number; readonly most?: number; readonly stride: number; readonly limit: number },
): number | undefined {
  const base = cost(least);
  if (base > limit) return undefined;
  let fits = { count: least, cost: base };
  let exceeds: { count: number; cost: number } | undefined;
  let guess = Math.min(least + stride, most);
  const settled = () => fits.count >= most || (exceeds !== undefined && exceeds.count - fits.count <= 1);
  for (let tries = 1; !settled(); tries++) {
    const tried = { count: guess, cost: cost(guess) };
    if (tried.cost <= limit) fits = tried;
    else exceeds = tried;
    const slope = Math.max((tried.cost - base) / (tried.count - least), 1e-3);
    guess = Math.min(nextGuess(fits, exceeds, slope, limit, tries > PATIENCE), most);
  }
  return fits.count;
}

/** Strictly between `fits` and `exceeds` where there is a count between them. */
function nextGuess(
  fits: { readonly count: number; readonly cost: number },
  exceeds: { readonly count: number; readonly cost: number } | undefined,
  slope: number,
  limit: number,
  bisect: boolean,
): number {
  const room = limit - fits.cost;
  const up = fits.count + Math.max(1, Math.floor(room / slope));
  if (exceeds === undefined) return up;
  if (bisect) return Math.floor((fits.count + exceeds.count) / 2);
  const over = exceeds.cost - limit;
  const nearest = room <= over ? up : exceeds.count - Math.max(1, Math.ceil(over / slope));
  return Math.min(Math.max(nearest, fits.count + 1), exceeds.count - 1);
}
