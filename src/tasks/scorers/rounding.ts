/**
 * Rounding as the published tables were rounded.
 *
 * Ties go by the exact value of the double, to the even neighbour (3.125 → 3.12, 9.375 → 9.38), where
 * `toFixed` takes the larger (3.13). NumPy scales first, and so gives another last digit now and then.
 */

/** Python's `round(value, digits)`, for values of magnitude below 1e15 and 0 to 6 digits. */
export function round(value: number, digits: number): number {
  // A double lies half-way between two decimals only where value · 2^(digits + 1) is an odd integer.
  if (Math.abs(value * 2 ** (digits + 1)) % 2 !== 1) return Number(value.toFixed(digits));
  const scale = 10 ** digits;
  const below = Math.floor(value * scale); // the product is exact: a half
  return (below % 2 === 0 ? below : below + 1) / scale;
}

/** NumPy's `round(value, digits)`: scaled, rounded to the even integer, scaled back. */
export function roundScaled(value: number, digits: number): number {
  const scale = 10 ** digits;
  return round(value * scale, 0) / scale;
}
