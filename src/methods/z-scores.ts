/**
 * Scores of a layer made comparable: mean 0, deviation 1, over all KV heads and tokens together.
 */

/** `(x − mean) / deviation`; the deviation is the unbiased one and at least 1e−6. */
export function zScores(scores: Float32Array): Float32Array {
  const n = scores.length;
  let sum = 0;
  for (const score of scores) sum += score;
  const mean = sum / n;
  let squares = 0;
  for (const score of scores) squares += (score - mean) ** 2;
  const deviation = n < 2 ? 0 : Math.sqrt(squares / (n - 1));
  return scores.map((score) => (score - mean) / Math.max(deviation, 1e-6));
}
