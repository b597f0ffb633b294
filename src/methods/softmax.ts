/** Softmax of one row of logits, in float64. */
export function softmax(logits: Float32Array): Float64Array {
  let top = -Infinity;
  for (const logit of logits) top = Math.max(top, logit);
  const weights = new Float64Array(logits.length);
  let sum = 0;
  for (let t = 0; t < logits.length; t++) sum += weights[t] = Math.exp(logits[t]! - top);
  for (let t = 0; t < logits.length; t++) weights[t]! /= sum;
  return weights;
}
