/**
 * Causal attention over the full prompt in tiles of queries × keys, without the maximum of a row.
 *
 * Decides the tiles, which stay in the processor's cache between one operation and the next, and when the plain softmax
 * must do it: exp(logits) of a tile is summed as it is, so a row whose sum is out of float32's comfortable range has to
 * be taken again. Tiles above the diagonal are not computed; only those on it are masked.
 * Alphabet: S tokens, T queries of a tile, G = H/KV, D head width.
 */
import type { Ops, Tensor } from '../engine/types.js';
import {
  attendBlock,
  attendHead,
  causalMask,
  perHead,
  queryRows,
  type HeadSides,
  type LayerHeads,
  type QueryRows,
} from './prefill-attention.js';

type Span = Pick<QueryRows, 'start' | 'end'>;

/** Queries of a tile, and keys of one on the diagonal: what is above it costs up to half of these. */
const QUERIES = 512;
/** Keys of any other tile: fewer and larger products run faster, as long as their weights stay in the cache. */
const KEYS = 2048;
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
    const spans = Array.from({ length: Math.ceil(S / QUERIES) }, (_, block) => {
      const start = block * QUERIES;
      return { start, end: Math.min(S, start + QUERIES) };
    });
    const sizes = new Set(spans.map(({ start, end }) => end - start));
    const triangles = new Map([...sizes].map((size) => [size, triangle(ops, size)]));
    const blocks = spans.map((span) =>
      attendBlock(ops, heads, sides, span, (side, rows) => {
        const { start, end } = span;
        const mask = triangles.get(end - start)!;
        const summed = sumTiles(ops, queryRows(ops, heads.queries, rows), side, span, mask);
        return summed ?? attendHead(ops, heads.queries, rows, side, causalMask(ops, start, end));
      }),
    );
    return blocks.length === 1 ? blocks[0]! : ops.concat(blocks, 0);
  });
}

/** Σ exp(logit) · value of some keys, `[G·T, D]`, and Σ exp(logit), `[G·T]`. */
interface Sums {
  readonly out: Tensor;
  readonly total: Tensor;
}

/** `queries [G·T, D]`, scaled, at the positions of `span`; undefined where a sum is out of range. */
function sumTiles(
  ops: Ops,
  queries: Tensor,
  side: HeadSides,
  { start, end }: Span,
  mask: Tensor,
): Tensor | undefined {
  return ops.tidy(() => {
    let sums = sumTile(ops, queries, side, { start, end }, mask);
    for (let from = 0; from < start; from += KEYS) {
      const before = sums;
      sums = ops.tidy(() => {
        const tile = sumTile(ops, queries, side, { start: from, end: Math.min(start, from + KEYS) });
        return { out: ops.add(before.out, tile.out), total: ops.add(before.total, tile.total) };
      });
    }
    const { out, total } = sums;
    // not `every`: NaN is out of range too
    for (const sum of ops.toHost(total)) if (!(sum > LEAST_SUM && sum < MOST_SUM)) return undefined;
    return ops.div(out, ops.reshape(total, [total.shape[0], 1]));
  });
}

/** The keys `keys.start … keys.end − 1`; with `mask`, those on the diagonal. */
function sumTile(
  ops: Ops,
  queries: Tensor,
  { keysT, values }: HeadSides,
  { start, end }: Span,
  mask?: Tensor,
): Sums {
  return ops.tidy(() => {
    const D = keysT.shape[0];
    const all = ops.exp(ops.matMul(queries, ops.slice(keysT, [0, start], [D, end - start]))); // [G·T, keys]
    const weights = mask === undefined ? all : masked(ops, all, mask);
    return {
      out: ops.matMul(weights, ops.slice(values, [start, 0], [end - start, D])),
      total: ops.sum(weights, 1),
    };
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
