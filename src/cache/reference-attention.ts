/**
 * Attention written plainly, in float64, over `decode()`: the twin that `attend` is held against.
 */
import type { LayerCache, LayerShape } from './types.js';

/**
 * Attention of the last T appended tokens, causal among themselves, logits scaled by 1/√D.
 *
 * @param queries `[T, H, D]`
 * @returns `[T, H, D]`
 */
export function referenceAttention(
  cache: Pick<LayerCache, 'decode'>,
  shape: Pick<LayerShape, 'heads' | 'kvHeads' | 'headDim'>,
  queries: Float32Array,
  tokens: number,
): Float64Array {
  const { heads: H, kvHeads: KV, headDim: D } = shape;
  const { keys, values } = cache.decode();
  const out = new Float64Array(tokens * H * D);
  for (let t = 0; t < tokens; t++) {
    for (let h = 0; h < H; h++) {
      const kvHead = Math.floor(h / (H / KV));
      const key = keys[kvHead]!; // [n, D]
      const value = values[kvHead]!;
      const at = (t * H + h) * D;
      const visible = key.length / D - tokens + t + 1;
      const logits = Array.from({ length: visible }, (_, i) => {
        let dot = 0;
        for (let j = 0; j < D; j++) dot += queries[at + j]! * key[i * D + j]!;
        return dot / Math.sqrt(D);
      });
      const largest = logits.reduce((a, b) => Math.max(a, b));
      const weights = logits.map((logit) => Math.exp(logit - largest));
      const sum = weights.reduce((a, b) => a + b);
      weights.forEach((weight, i) => {
        for (let j = 0; j < D; j++) out[at + j]! += (weight / sum) * value[i * D + j]!;
      });
    }
  }
  return out;
}
