/** Observations the slow, obvious way, in float64, from queries, keys and values that are given. */
import type { Observation } from '../../src/cache/types.js';

export interface Tensors {
  readonly shape: { heads: number; kvHeads: number; headDim: number; length: number };
  /** `[H, S, D]`, post-RoPE */
  readonly queries: Float32Array;
  /** `[KV, S, D]`, post-RoPE */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Throws where an observation needs more than queries, keys and values. */
export function measure(tensors: Tensors, observation: Observation): Float32Array {
  const { heads: H, length: S } = tensors.shape;
  switch (observation.kind) {
    case 'window_queries':
      return lastQueries(tensors, observation.window);
    case 'window_logits':
      return overRows(tensors, observation.window, S, (logits, out) => {
        out.set(logits);
        out.fill(-Infinity, logits.length);
      });
    case 'window_outputs':
      return windowOutputs(tensors, observation.window);
    case 'window_attention': {
      const w = Math.min(observation.window, S);
      return columnSums(tensors, w).map((sum) => sum / w);
    }
    case 'attention_sums':
      return Float32Array.from(columnSums(tensors, S));
    case 'chunk_attention':
      return chunkAttention(tensors, observation);
    default:
      throw new Error(`${observation.kind} of ${H} heads cannot be measured without a model`);
  }
}

function lastQueries(
  { shape: { heads, length: S, headDim: D }, queries }: Tensors,
  window: number,
): Float32Array {
  const w = Math.min(window, S);
  const last = new Float32Array(heads * w * D);
  for (let h = 0; h < heads; h++) last.set(queries.subarray((h * S + S - w) * D, (h + 1) * S * D), h * w * D);
  return last;
}

/** Sum over the last w rows of the softmax, `[H, S]`. */
function columnSums(tensors: Tensors, w: number): Float32Array {
  const { heads, length: S } = tensors.shape;
  const weights = overRows(tensors, w, S, (logits, out) => {
    out.set(softmax(logits));
  });
  const sums = new Float64Array(heads * S);
  weights.forEach((weight, i) => (sums[Math.floor(i / (w * S)) * S + (i % S)]! += weight));
  return Float32Array.from(sums);
}

function windowOutputs(tensors: Tensors, window: number): Float32Array {
  const { heads, kvHeads, headDim: D, length: S } = tensors.shape;
  const w = Math.min(window, S);
  let row = 0;
  return overRows(tensors, w, D, (logits, out) => {
    const kv = Math.floor(Math.floor(row++ / w) / (heads / kvHeads));
    softmax(logits).forEach((weight, t) => {
      for (let j = 0; j < D; j++) out[j]! += weight * tensors.values[(kv * S + t) * D + j]!;
    });
  });
}

/** Every query against the keys of its chunk; of a padded chunk the zeros are written out. */
function chunkAttention(
  { shape: { heads, kvHeads, headDim: D, length: S }, queries, keys }: Tensors,
  { chunk, first, last, scaled, padded }: Extract<Observation, { kind: 'chunk_attention' }>,
): Float32Array {
  const sums = new Float64Array(heads * S);
  for (let h = 0; h < heads; h++) {
    const kv = Math.floor(h / (heads / kvHeads));
    for (let start = first; start < S - last; start += chunk) {
      const rows = Math.min(chunk, S - last - start);
      const all = padded ? chunk : rows;
      for (let q = 0; q < all; q++) {
        const logits = Array.from({ length: all }, (_, k) => {
          if (q >= rows || k >= rows) return 0;
          let dot = 0;
          for (let j = 0; j < D; j++)
            dot += queries[(h * S + start + q) * D + j]! * keys[(kv * S + start + k) * D + j]!;
          return scaled ? dot / Math.sqrt(D) : dot;
        });
        const weights = softmax(logits);
        for (let k = 0; k < rows; k++) sums[h * S + start + k]! += weights[k]!;
      }
    }
  }
  return Float32Array.from(sums);
}

/** One row of `width` numbers for each query head and each of the last w queries, from its visible logits. */
function overRows(
  { shape: { heads, kvHeads, headDim: D, length: S }, queries, keys }: Tensors,
  window: number,
  width: number,
  write: (logits: number[], out: Float64Array) => void,
): Float32Array {
  const w = Math.min(window, S);
  const rows = new Float64Array(heads * w * width);
  for (let h = 0; h < heads; h++) {
    const kv = Math.floor(h / (heads / kvHeads));
    for (let u = 0; u < w; u++) {
      const position = S - w + u;
      const logits = Array.from({ length: position + 1 }, (_, t) => {
        let dot = 0;
        for (let j = 0; j < D; j++) dot += queries[(h * S + position) * D + j]! * keys[(kv * S + t) * D + j]!;
        return dot / Math.sqrt(D);
      });
      write(logits, rows.subarray((h * w + u) * width, (h * w + u + 1) * width));
    }
  }
  return Float32Array.from(rows);
}

function softmax(logits: readonly number[]): number[] {
  const top = logits.reduce((a, b) => Math.max(a, b));
  const weights = logits.map((logit) => Math.exp(logit - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
