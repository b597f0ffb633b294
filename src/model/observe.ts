/**
 * What methods want measured of a layer during the one prefill.
 *
 * Blockwise, nothing of size S×S, and nothing that is not asked for. Sums over all attention rows are collected by the
 * attention itself and only passed on here.
 */
import { observationKey, type Observation } from '../cache/types.js';
import type { Ops, Tensor } from '../engine/types.js';
import { inChunks } from './observe-chunks.js';
import { chunkAttention } from './observe-chunk-attention.js';
import {
  causalAttention,
  causalMask,
  firstSeen,
  logitsOf,
  perHead,
  weightsOf,
  type LayerHeads,
} from './prefill-attention.js';
import type { ObservedLayer } from './observed-layer.js';
import { pairOf, ropeTable, type Rotation } from './rope.js';
import { rotate, type RopeTensors } from './rotate.js';

/** Rows of values that go through the output projection at once. */
const ROWS_PER_BLOCK = 1024;

/** Every requested observation of this layer, by key. */
export function observe(
  ops: Ops,
  layer: ObservedLayer,
  observations: readonly Observation[],
): Map<string, Float32Array> {
  return new Map(
    observations.map((observation) => [
      observationKey(observation),
      ops.tidy(() => measure(ops, layer, observation)),
    ]),
  );
}

/** One observation of all rows of a layer. */
export function measure(ops: Ops, layer: ObservedLayer, observation: Observation): Float32Array {
  const { heads } = layer;
  const [H, S, D] = heads.queries.shape as [number, number, number];
  switch (observation.kind) {
    case 'window_queries': {
      const w = Math.min(observation.window, S);
      return ops.toHost(ops.slice(heads.queries, [0, S - w, 0], [H, w, D]));
    }
    case 'window_attention':
      return ops.toHost(windowAttention(ops, heads, Math.min(observation.window, S)));
    case 'window_logits':
      return windowLogits(ops, heads, Math.min(observation.window, S));
    case 'window_outputs':
      return ops.toHost(windowOutputs(ops, heads, Math.min(observation.window, S)));
    case 'attention_sums':
      return layer.attentionSums ?? causalAttention(ops, heads, 0, true).sums!;
    case 'value_output_norms':
      return valueOutputNorms(ops, layer);
    case 'future_logits':
      return futureLogits(ops, layer, observation);
    case 'future_query':
      return futureQuery(ops, layer, observation);
    case 'unrotated_keys':
      return ops.toHost(rotate(ops, heads.keys, inverse(ops, layer.rope, layer.rotation)));
    case 'chunk_attention':
      return chunkAttention(ops, heads, observation);
    case 'in_chunks':
      return inChunks(ops, layer, observation, measure);
  }
}

/** Mean over the last w rows of the causal softmax, `[H, S]`. */
function windowAttention(ops: Ops, heads: LayerHeads, w: number): Tensor {
  const [H, S] = heads.queries.shape as [number, number, number];
  const G = H / heads.keys.shape[0];
  return overWindow(ops, heads, w, (weights) =>
    ops.scale(ops.sum(ops.reshape(weights, [G, w, S]), 1), 1 / w),
  );
}

/** Attention output of the last w rows, `[H, w, D]`. */
function windowOutputs(ops: Ops, heads: LayerHeads, w: number): Tensor {
  const [H, , D] = heads.queries.shape as [number, number, number];
  const G = H / heads.keys.shape[0];
  return overWindow(ops, heads, w, (weights, values) => ops.reshape(ops.matMul(weights, values), [G, w, D]));
}

/** `of` each KV head's softmax rows of the last w queries `[G·w, S]` and values `[S, D]`, joined along the heads. */
function overWindow(
  ops: Ops,
  heads: LayerHeads,
  w: number,
  of: (weights: Tensor, values: Tensor) => Tensor,
): Tensor {
  const [H, S] = heads.queries.shape as [number, number, number];
  const G = H / heads.keys.shape[0];
  const span = { start: S - w, end: S, first: 0 };
  const mask = causalMask(ops, span, heads.window);
  const parts = perHead(ops, heads).map(({ keysT, values }, kv) => {
    const rows = { firstHead: kv * G, heads: G, ...span };
    return of(weightsOf(ops, heads, rows, keysT, mask), values);
  });
  return parts.length === 1 ? parts[0]! : ops.concat(parts, 0);
}

/** `[H, w, S]`, −Infinity where a key is not seen by the query. */
function windowLogits(ops: Ops, heads: LayerHeads, w: number): Float32Array {
  const [H, S] = heads.queries.shape as [number, number, number];
  const G = H / heads.keys.shape[0];
  const out = new Float32Array(H * w * S);
  perHead(ops, heads).forEach(({ keysT }, kv) => {
    const rows = { firstHead: kv * G, heads: G, start: S - w, end: S, first: 0 };
    out.set(ops.toHost(logitsOf(ops, heads, rows, keysT)), kv * G * w * S); // [G·w, S]
  });
  for (let row = 0; row < H * w; row++) {
    const query = S - w + (row % w);
    out.fill(-Infinity, row * S + query + 1, (row + 1) * S);
    out.fill(-Infinity, row * S, row * S + firstSeen(query, heads.window));
  }
  return out;
}

/** Mean over the G query heads of ‖v W_o,h‖₁, `[KV, S]` (CriticalKV, arXiv 2502.03805). */
function valueOutputNorms(ops: Ops, { heads, output }: ObservedLayer): Float32Array {
  const [KV, S, D] = heads.values.shape as [number, number, number];
  const G = heads.queries.shape[0] / KV;
  const E = output.shape[1]!;
  const norms = new Float64Array(KV * S);
  for (let start = 0; start < S; start += ROWS_PER_BLOCK) {
    const rows = Math.min(ROWS_PER_BLOCK, S - start);
    for (let h = 0; h < KV * G; h++) {
      const kv = Math.floor(h / G);
      const projected = ops.tidy(() => {
        const values = ops.reshape(ops.slice(heads.values, [kv, start, 0], [1, rows, D]), [rows, D]);
        return ops.toHost(ops.matMul(values, ops.slice(output, [h * D, 0], [D, E]))); // [rows, E]
      });
      for (let t = 0; t < rows; t++) {
        let norm = 0;
        for (let e = 0; e < E; e++) norm += Math.abs(projected[t * E + e]!);
        norms[kv * S + start + t]! += norm / G;
      }
    }
  }
  return Float32Array.from(norms);
}

/**
 * Log of the expectation of exp(q·k/√D) over the queries to come, `[H, S − skip]` (Expected Attention, arXiv 2510.00636).
 * Mean and covariance are those of the prompt before RoPE, rotated by the mean rotation R̄ of the next positions,
 * μ' = R̄μ and Σ' = R̄ΣR̄ᵀ.
 */
function futureLogits(
  ops: Ops,
  { heads, rope, rotation, projectionBias, start }: ObservedLayer,
  { skip, horizon, bias, covariance }: Extract<Observation, { kind: 'future_logits' }>,
): Float32Array {
  const [H, S, D] = heads.queries.shape as [number, number, number];
  const G = H / heads.keys.shape[0];
  const n = Math.max(0, S - skip);
  const out = new Float32Array(H * n);
  if (n === 0) return out;
  const unrotated = rotate(ops, heads.queries, inverse(ops, rope, rotation)); // [H, S, D]
  const rotateMean = meanRotation(rotation, start + S, horizon);
  const offset = bias || projectionBias === undefined ? undefined : ops.toHost(projectionBias);
  for (let h = 0; h < H; h++) {
    const logits = ops.tidy(() => {
      const rowsOf = (x: Tensor, head: number): Tensor =>
        ops.reshape(ops.slice(x, [head, skip, 0], [1, n, D]), [n, D]);
      const queries = rowsOf(unrotated, h);
      const keys = rowsOf(heads.keys, Math.floor(h / G));
      const mean = ops.scale(ops.sum(queries, 0), 1 / n); // [D]
      const ahead = ops.toHost(mean);
      if (offset !== undefined) for (let j = 0; j < D; j++) ahead[j]! -= offset[h * D + j]!;
      rotateMean(ahead, 0, 1);
      const dots = ops.reshape(ops.matMul(keys, ops.fromHost(ahead, [D, 1])), [n]);
      const scaled = ops.scale(dots, 1 / Math.sqrt(D));
      if (!covariance) return ops.toHost(scaled);
      const centred = ops.sub(queries, mean); // [n, D]
      const spread = ops.toHost(ops.scale(ops.matMul(ops.transpose(centred, [1, 0]), centred), 1 / n)); // [D, D]
      for (let i = 0; i < D; i++) rotateMean(spread, i * D, 1);
      for (let j = 0; j < D; j++) rotateMean(spread, j, D);
      const squares = ops.sum(ops.mul(ops.matMul(keys, ops.fromHost(spread, [D, D])), keys), 1); // kᵀΣ'k, [n]
      return ops.toHost(ops.add(scaled, ops.scale(squares, 1 / (2 * D))));
    });
    out.set(logits, h * n);
  }
  return out;
}

/** The mean of the queries before RoPE, rotated likewise, `[H, D]` (CapKV, arXiv 2604.25975). */
function futureQuery(
  ops: Ops,
  { heads, rope, rotation, start }: ObservedLayer,
  { skip, horizon }: Extract<Observation, { kind: 'future_query' }>,
): Float32Array {
  const [H, S, D] = heads.queries.shape as [number, number, number];
  const n = S - skip;
  if (n <= 0) return new Float32Array(H * D);
  const unrotated = rotate(ops, heads.queries, inverse(ops, rope, rotation)); // [H, S, D]
  const mean = ops.toHost(ops.scale(ops.sum(ops.slice(unrotated, [0, skip, 0], [H, n, D]), 1), 1 / n));
  const rotateMean = meanRotation(rotation, start + S, horizon);
  for (let h = 0; h < H; h++) rotateMean(mean, h * D, 1);
  return mean;
}

/** The rotation back. */
function inverse(
  ops: Ops,
  rope: RopeTensors | undefined,
  rotation: Rotation | undefined,
): RopeTensors | undefined {
  if (rope === undefined || rotation === undefined) return undefined;
  const back = 1 / rotation.factor ** 2;
  return {
    cos: back === 1 ? rope.cos : ops.scale(rope.cos, back),
    sin: ops.scale(rope.sin, -back),
    pairing: rope.pairing,
  };
}

/** Multiplies the vector at `offset`, its D entries `stride` apart, by the mean of the rotations of `count` positions. */
function meanRotation(
  rotation: Rotation | undefined,
  start: number,
  count: number,
): (x: Float32Array, offset: number, stride: number) => void {
  if (rotation === undefined) return () => undefined;
  const table = ropeTable(rotation, start, count);
  const { half, cos, sin } = table;
  const meanOf = (side: Float32Array): Float64Array =>
    Float64Array.from({ length: half }, (_, j) => {
      let sum = 0;
      for (let t = 0; t < count; t++) sum += side[t * half + j]!;
      return sum / count;
    });
  const c = meanOf(cos);
  const s = meanOf(sin);
  return (x, offset, stride) => {
    for (let j = 0; j < half; j++) {
      const [first, second] = pairOf(table, j);
      const low = offset + first * stride;
      const high = offset + second * stride;
      const [a, b] = [x[low]!, x[high]!];
      x[low] = a * c[j]! - b * s[j]!;
      x[high] = b * c[j]! + a * s[j]!;
    }
  };
}
