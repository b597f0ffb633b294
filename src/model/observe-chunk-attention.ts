/**
 * Attention inside chunks of the prompt, without a causal mask (Compactor, arXiv 2507.08143).
 *
 * Each chunk is one small product per KV head, so that a prompt costs L·chunk and not L².
 */
import type { Observation } from '../cache/types.js';
import type { Ops, Tensor } from '../engine/types.js';
import { perHead, type LayerHeads } from './prefill-attention.js';

/** `[H, S]`: what each key gets from the queries of its chunk. */
export function chunkAttention(
  ops: Ops,
  heads: LayerHeads,
  { chunk, first, last, scaled, padded }: Extract<Observation, { kind: 'chunk_attention' }>,
): Float32Array {
  const { queries, softCap } = heads;
  const [H, S, D] = queries.shape as [number, number, number];
  const sums = new Float32Array(H * S);
  perHead(ops, heads).forEach(({ keysT }, kv, { length: KV }) => {
    const G = H / KV;
    for (let start = first; start < S - last; start += chunk) {
      const rows = Math.min(chunk, S - last - start); // T
      const padding = padded ? chunk - rows : 0;
      const columns = ops.tidy(() => {
        const mine = ops.reshape(ops.slice(queries, [kv * G, start, 0], [G, rows, D]), [G * rows, D]);
        const keys = ops.slice(keysT, [0, start], [D, rows]);
        const dots = ops.scale(ops.matMul(mine, keys), scaled ? 1 / Math.sqrt(D) : 1); // [G·T, T]
        const logits = softCap === undefined ? dots : ops.softCap(dots, softCap);
        const weights = softmaxBeside(ops, logits, padding);
        return ops.toHost(ops.sum(ops.reshape(weights, [G, rows, rows]), 1)); // [G, T]
      });
      for (let g = 0; g < G; g++) {
        const at = (kv * G + g) * S + start;
        // a padded query sees all keys of the filled chunk alike
        for (let t = 0; t < rows; t++) sums[at + t] = columns[g * rows + t]! + padding / chunk;
      }
    }
  });
  return sums;
}

/** Softmax of rows that have `zeros` more logits of 0, without these. */
function softmaxBeside(ops: Ops, logits: Tensor, zeros: number): Tensor {
  if (zeros === 0) return ops.softmax(logits);
  const [rows, columns] = logits.shape as [number, number];
  const more = ops.fromHost(new Float32Array(rows * zeros), [rows, zeros]);
  return ops.slice(ops.softmax(ops.concat([logits, more], 1)), [0, 0], [rows, columns]);
}
