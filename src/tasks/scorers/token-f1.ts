/**
 * F1 of two bags of tokens: the harmonic mean of the fractions of each that occur in the other.
 *
 * Without a common token the score is 0, for two empty bags too.
 */

/** In [0, 1]; symmetric. */
export function tokenF1(prediction: readonly string[], answer: readonly string[]): number {
  const left = counts(answer);
  let common = 0;
  for (const token of prediction) {
    const count = left.get(token) ?? 0;
    if (count === 0) continue;
    common++;
    left.set(token, count - 1);
  }
  if (common === 0) return 0;
  const precision = common / prediction.length;
  const recall = common / answer.length;
  return (2 * precision * recall) / (precision + recall);
}

/** How often each token occurs. */
export function counts(tokens: Iterable<string>): Map<string, number> {
  const result = new Map<string, number>();
  for (const token of tokens) result.set(token, (result.get(token) ?? 0) + 1);
  return result;
}
