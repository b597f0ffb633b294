/**
 * An observation of each chunk of a prompt alone, as if the chunk were the prompt (ChunkPress of kvpress).
 *
 * Queries and keys keep the rotations of their own positions.
 */
import type { Observation } from '../cache/types.js';
import type { Ops, Tensor } from '../engine/types.js';
import { concatenate } from '../base/concatenate.js';
import type { ObservedLayer } from './observed-layer.js';

/** One chunk after the other; `measure` is what measures a layer. */
export function inChunks(
  ops: Ops,
  layer: ObservedLayer,
  { chunk, of }: Extract<Observation, { kind: 'in_chunks' }>,
  measure: (ops: Ops, layer: ObservedLayer, observation: Observation) => Float32Array,
): Float32Array {
  const S = layer.heads.queries.shape[1]!;
  const parts: Float32Array[] = [];
  for (let start = 0; start < S; start += chunk) {
    const rows = Math.min(chunk, S - start);
    parts.push(ops.tidy(() => measure(ops, chunkOf(ops, layer, start, rows), of)));
  }
  return concatenate(parts);
}

function chunkOf(ops: Ops, layer: ObservedLayer, start: number, rows: number): ObservedLayer {
  const { heads, rope } = layer;
  /** Of `[heads, S, D]`. */
  const part = (x: Tensor): Tensor => ops.slice(x, [0, start, 0], [x.shape[0], rows, x.shape[2]!]);
  /** Of `[S, width/2]`. */
  const angles = (x: Tensor): Tensor => ops.slice(x, [start, 0], [rows, x.shape[1]!]);
  return {
    ...layer,
    heads: { ...heads, queries: part(heads.queries), keys: part(heads.keys), values: part(heads.values) },
    rope: rope === undefined ? undefined : { ...rope, cos: angles(rope.cos), sin: angles(rope.sin) },
    attentionSums: undefined,
    start: layer.start + start,
  };
}
