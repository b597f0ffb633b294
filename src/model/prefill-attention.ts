/**
 * Causal attention over the full prompt in blocks of queries, and what methods observe of it.
 *
 * Decides the block sizes and the masks. The G query heads of a KV head are folded into the rows of one
 * 2-D matmul, the form that is fast and right on every engine.
 */
import { observationKey, type Observation } from '../cache/types.js';
import type { Ops, Tensor } from '../engine/types.js';

export interface LayerHeads {
  /** `[H, S, D]`, rotated */
  readonly queries: Tensor;
  /** `[KV, S, D]`, rotated */
  readonly keys: Tensor;
  /** `[KV, S, D]` */
  readonly values: Tensor;
}

/** Attention scores held at once: G·T·S floats, 64 MiB. */
const MAX_SCORES = 16 * 2 ** 20;
const MAX_QUERY_BLOCK = 512;
/** Added to the logits of keys that a query must not see: exp() of it is 0 in float32. */
const MASKED = -1e30;

/**
 * Attention output of the queries at positions `from … S − 1`, `[S − from, H·D]`.
 */
export function causalAttention(ops: Ops, heads: LayerHeads, from: number): Tensor {
  const [H, S, D] = heads.queries.shape as [number, number, number];
  const KV = heads.keys.shape[0];
  const G = H / KV;
  const T = Math.max(1, Math.min(MAX_QUERY_BLOCK, Math.floor(MAX_SCORES / (G * S))));
  return ops.tidy(() => {
    const sides = perHead(ops, heads);
    const blocks: Tensor[] = [];
    for (let start = from; start < S; start += T) {
      const end = Math.min(S, start + T);
      const block = ops.tidy(() => {
        const mask = causalMask(ops, start, end);
        const outputs = sides.map(({ keysT, values }, kv) => {
          const weights = attentionWeights(ops, heads.queries, kv * G, G, start, end, keysT, mask); // [G·T, end]
          const seen = ops.slice(values, [0, 0], [end, D]);
          return ops.reshape(ops.matMul(weights, seen), [G, end - start, D]);
        });
        const byHead = outputs.length === 1 ? outputs[0]! : ops.concat(outputs, 0); // [H, T, D]
        return ops.reshape(ops.transpose(byHead, [1, 0, 2]), [end - start, H * D]);
      });
      blocks.push(block);
    }
    return blocks.length === 1 ? blocks[0]! : ops.concat(blocks, 0);
  });
}

/** Every requested observation of this layer, by key. */
export function observe(
  ops: Ops,
  heads: LayerHeads,
  observations: readonly Observation[],
): Map<string, Float32Array> {
  const seen = new Map<string, Float32Array>();
  for (const observation of observations) {
    const measured = ops.tidy(() => ops.toHost(measure(ops, heads, observation)));
    seen.set(observationKey(observation), measured);
  }
  return seen;
}

function measure(ops: Ops, heads: LayerHeads, observation: Observation): Tensor {
  const [H, S, D] = heads.queries.shape as [number, number, number];
  const w = Math.min(observation.window, S);
  switch (observation.kind) {
    case 'window_queries':
      return ops.slice(heads.queries, [0, S - w, 0], [H, w, D]);
    case 'window_attention':
      return windowAttention(ops, heads, w);
  }
}

/** Mean over the last w rows of the causal softmax, `[H, S]`. */
function windowAttention(ops: Ops, heads: LayerHeads, w: number): Tensor {
  const [H, S] = heads.queries.shape as [number, number, number];
  const G = H / heads.keys.shape[0];
  const mask = causalMask(ops, S - w, S);
  const perKv = perHead(ops, heads).map(({ keysT }, kv) => {
    const weights = attentionWeights(ops, heads.queries, kv * G, G, S - w, S, keysT, mask); // [G·w, S]
    return ops.scale(ops.sum(ops.reshape(weights, [G, w, S]), 1), 1 / w); // [G, S]
  });
  return perKv.length === 1 ? perKv[0]! : ops.concat(perKv, 0);
}

interface HeadSides {
  /** `[D, S]` */
  readonly keysT: Tensor;
  /** `[S, D]` */
  readonly values: Tensor;
}

function perHead(ops: Ops, heads: LayerHeads): HeadSides[] {
  const [KV, S, D] = heads.keys.shape as [number, number, number];
  return Array.from({ length: KV }, (_, kv) => {
    const one = (x: Tensor): Tensor => ops.reshape(ops.slice(x, [kv, 0, 0], [1, S, D]), [S, D]);
    return { keysT: ops.transpose(one(heads.keys), [1, 0]), values: one(heads.values) };
  });
}

/** Softmax of the scaled logits of G heads' queries `start … end − 1` against keys `0 … end − 1`, `[G·T, end]`. */
function attentionWeights(
  ops: Ops,
  queries: Tensor,
  firstHead: number,
  G: number,
  start: number,
  end: number,
  keysT: Tensor,
  mask: Tensor,
): Tensor {
  const D = keysT.shape[0];
  const T = end - start;
  return ops.tidy(() => {
    const rows = ops.reshape(ops.slice(queries, [firstHead, start, 0], [G, T, D]), [G * T, D]);
    const keys = end === keysT.shape[1] ? keysT : ops.slice(keysT, [0, 0], [D, end]);
    const logits = ops.matMul(ops.scale(rows, 1 / Math.sqrt(D)), keys); // [G·T, end]
    const masked = ops.add(ops.reshape(logits, [G, T, end]), mask);
    return ops.softmax(ops.reshape(masked, [G * T, end]));
  });
}

/** `[T, end]`: 0 where query `start + t` sees the key, `MASKED` where it does not. */
function causalMask(ops: Ops, start: number, end: number): Tensor {
  const T = end - start;
  const mask = new Float32Array(T * end);
  for (let t = 0; t < T; t++) mask.fill(MASKED, t * end + start + t + 1, (t + 1) * end);
  return ops.fromHost(mask, [T, end]);
}
