/**
 * Causal attention over the full prompt in tiles of queries × keys, without the maximum of a row.
 *
 * Decides the tiles, which stay in the processor's cache between one operation and the next, and when the plain softmax
 * must do it: exp(logits) of a tile is summed as it is, so a row whose sum is out of float32's comfortable range has to
 * be taken again. Tiles above the diagonal are not computed; only those on it are masked.
 * Alphabet: S tokens, T queries or keys of a tile, G = H/KV, D head width.
 */
import type { Ops, Tensor } from '../engine/types.js';
import {
  attendBlock,
  attendHead,
  causalMask,
  perHead,
  queryRows,
  type LayerHeads,
} from './prefill-attention.js';

/** T */
const TILE = 512;
/**
 * Rows outside this range are taken again: below it the terms of a sum of up to 10⁷ keys begin to vanish, above it they
 * overflow.
 */
const LEAST_SUM = 1e-30;
const MOST_SUM = 1e30;

/** Attention output of all queries, `[S, H·D]`; to float32 what a softmax gives. */
export function tiledAttention(ops: Ops, heads: LayerHeads): Tensor {
  const S = heads.queries.shape[1]!;
  return ops.tidy(() => {
    const sides = perHead(ops, heads);
    const spans = Array.from({ length: Math.ceil(S / TILE) }, (_, block) => {
      const start = block * TILE;
      return { start, end: Math.min(S, start + TILE) };
    });
    const tiles = sides.map(({ keysT, values }) => {
      const D = keysT.shape[0];
      return spans.map(({ start, end }) => ({
        keysT: ops.slice(keysT, [0, start], [D, end - start]),
        values: ops.slice(values, [start, 0], [end - start, D]),
      }));
    });
    const sizes = new Set(spans.map(({ start, end }) => end - start));
    const triangles = new Map([...sizes].map((size) => [size, triangle(ops, size)]));
    const blocks = spans.map((span, block) =>
      attendBlock(ops, heads, sides, span, (side, rows, kv) => {
        const { start, end } = span;
        const seen = tiles[kv]!.slice(0, block + 1);
        const summed = sumTiles(ops, queryRows(ops, heads.queries, rows), seen, triangles.get(end - start)!);
        return summed ?? attendHead(ops, heads.queries, rows, side, causalMask(ops, start, end));
      }),
    );
    return blocks.length === 1 ? blocks[0]! : ops.concat(blocks, 0);
  });
}

interface KeyTile {
  /** `[D, T]` */
  readonly keysT: Tensor;
  /** `[T, D]` */
  readonly values: Tensor;
}

/** `queries [G·T, D]`, scaled, over tiles of which the last is on the diagonal; undefined where a sum is out of range. */
function sumTiles(ops: Ops, queries: Tensor, tiles: readonly KeyTile[], mask: Tensor): Tensor | undefined {
  return ops.tidy(() => {
    let total: { readonly out: Tensor; readonly sums: Tensor } | undefined;
    for (const [index, { keysT, values }] of tiles.entries()) {
      const part = ops.tidy(() => {
        const all = ops.exp(ops.matMul(queries, keysT)); // [G·T, T]
        const weights = index === tiles.length - 1 ? masked(ops, all, mask) : all;
        const out = ops.matMul(weights, values); // [G·T, D]
        const sums = ops.sum(weights, 1); // [G·T]
        if (total === undefined) return { out, sums };
        return { out: ops.add(total.out, out), sums: ops.add(total.sums, sums) };
      });
      total = part;
    }
    const { out, sums } = total!;
    // not `every`: NaN is out of range too
    for (const sum of ops.toHost(sums)) if (!(sum > LEAST_SUM && sum < MOST_SUM)) return undefined;
    return ops.div(out, ops.reshape(sums, [sums.shape[0], 1]));
  });
}

/** `weights [G·T, T]` where the key is not after the query, else 0. */
function masked(ops: Ops, weights: Tensor, mask: Tensor): Tensor {
  const T = mask.shape[0];
  const rows = weights.shape[0];
  const heads = ops.reshape(weights, [rows / T, T, T]);
  return ops.reshape(ops.mul(heads, mask), [rows, T]);
}

/** `[T, T]`: 1 up to the diagonal, 0 above it. */
function triangle(ops: Ops, T: number): Tensor {
  const mask = new Float32Array(T * T);
  for (let t = 0; t < T; t++) mask.fill(1, t * T, t * T + t + 1);
  return ops.fromHost(mask, [T, T]);
}
