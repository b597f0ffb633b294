/**
 * Causal attention over the full prompt in tiles of queries × keys, without the maximum of a row.
 *
 * Tiles stay in the processor's cache between one operation and the next. Tiles above the diagonal are not computed;
 * only those on it are masked. The G query rows of a token stand side by side: a tile's queries are then one piece of
 * memory, and so is what comes out of it.
 * Alphabet: S tokens, T queries of a tile, G = H/KV, D head width.
 */
import type { Ops, Tensor } from '../engine/types.js';
import {
  attendHead,
  causalMask,
  perHead,
  tokensFirst,
  type HeadSides,
  type LayerHeads,
  type QueryRows,
} from './prefill-attention.js';

/** Tokens `start … end − 1`. */
type Tokens = Pick<QueryRows, 'start' | 'end'>;

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

/** Attention output of all queries, `[S, H·D]`, without cap and window; to float32 what a softmax gives. */
export function tiledAttention(ops: Ops, heads: LayerHeads): Tensor {
  const [H, S, D] = heads.queries.shape as [number, number, number];
  return ops.tidy(() => {
    const sides = perHead(ops, heads);
    const G = H / sides.length;
    const spans = Array.from({ length: Math.ceil(S / QUERIES) }, (_, block) => {
      const start = block * QUERIES;
      return { start, end: Math.min(S, start + QUERIES) };
    });
    const sizes = new Set(spans.map(({ start, end }) => end - start));
    const shared = {
      ones: ops.fromHost(new Float32Array(Math.min(S, KEYS)).fill(1), [Math.min(S, KEYS), 1]),
      triangles: new Map([...sizes].map((size) => [size, triangle(ops, size, G)])),
    };
    const outputs = sides.map((side, kv) =>
      ops.tidy(() => {
        const queries = queriesByToken(ops, heads.queries, kv * G, G);
        const blocks = spans.map((span) => {
          const summed = sumTiles(ops, queries, side, span, shared);
          return summed === undefined
            ? softmaxBlock(ops, heads, side, { firstHead: kv * G, heads: G, first: 0, ...span })
            : ops.reshape(summed, [span.end - span.start, G * D]);
        });
        return blocks.length === 1 ? blocks[0]! : ops.concat(blocks, 0); // [S, G·D]
      }),
    );
    return outputs.length === 1 ? outputs[0]! : ops.concat(outputs, 1);
  });
}

/** Queries of G heads, scaled by 1/√D, `[S·G, D]`. */
function queriesByToken(ops: Ops, queries: Tensor, firstHead: number, G: number): Tensor {
  const [, S, D] = queries.shape as [number, number, number];
  return ops.tidy(() => {
    const mine = ops.slice(queries, [firstHead, 0, 0], [G, S, D]);
    return ops.scale(ops.reshape(tokensFirst(ops, mine), [S * G, D]), 1 / Math.sqrt(D));
  });
}

/** What all tiles of a layer need. */
interface Shared {
  /** `[KEYS, 1]`, less where the prompt is shorter: a product with it is a sum over keys. */
  readonly ones: Tensor;
  /** By T, `[T·G, T]`: 1 where the key is not after the query, else 0. */
  readonly triangles: ReadonlyMap<number, Tensor>;
}

/** Σ exp(logit) · value of some keys, `[T·G, D]`, and Σ exp(logit), `[T·G, 1]`. */
interface Sums {
  readonly out: Tensor;
  readonly total: Tensor;
}

/** Output for the tokens of a span, `[T·G, D]`; undefined where a sum is out of range. */
function sumTiles(
  ops: Ops,
  queries: Tensor,
  side: HeadSides,
  { start, end }: Tokens,
  { ones, triangles }: Shared,
): Tensor | undefined {
  const [SG, D] = queries.shape as [number, number];
  const G = SG / side.values.shape[0];
  return ops.tidy(() => {
    const mine = ops.slice(queries, [start * G, 0], [(end - start) * G, D]);
    let sums = sumTile(ops, mine, side, { start, end }, ones, triangles.get(end - start));
    for (let from = 0; from < start; from += KEYS) {
      const before = sums;
      sums = ops.tidy(() => {
        const tile = sumTile(ops, mine, side, { start: from, end: Math.min(start, from + KEYS) }, ones);
        return { out: ops.add(before.out, tile.out), total: ops.add(before.total, tile.total) };
      });
    }
    const { out, total } = sums;
    // not `every`: NaN is out of range too
    for (const sum of ops.toHost(total)) if (!(sum > LEAST_SUM && sum < MOST_SUM)) return undefined;
    return ops.div(out, total);
  });
}

/** The keys `start … end − 1`; with `mask`, those on the diagonal. */
function sumTile(
  ops: Ops,
  queries: Tensor,
  { keysT, values }: HeadSides,
  { start, end }: Tokens,
  ones: Tensor,
  mask?: Tensor,
): Sums {
  return ops.tidy(() => {
    const D = keysT.shape[0];
    const keys = end - start;
    const all = ops.exp(ops.matMul(queries, ops.slice(keysT, [0, start], [D, keys]))); // [T·G, keys]
    const weights = mask === undefined ? all : ops.mul(all, mask);
    return {
      out: ops.matMul(weights, ops.slice(values, [start, 0], [keys, D])),
      total: ops.matMul(weights, ops.slice(ones, [0, 0], [keys, 1])),
    };
  });
}

/** The same by the softmax, `[T, G·D]`. */
function softmaxBlock(ops: Ops, heads: LayerHeads, side: HeadSides, rows: QueryRows): Tensor {
  const { heads: G, start, end } = rows;
  const D = side.keysT.shape[0];
  return ops.tidy(() => {
    const byHead = attendHead(ops, heads, rows, side, causalMask(ops, rows, undefined)); // [G·T, D]
    return tokensFirst(ops, ops.reshape(byHead, [G, end - start, D]));
  });
}

/** `[T·G, T]`: each row of a lower triangle G times. */
function triangle(ops: Ops, T: number, G: number): Tensor {
  const mask = new Float32Array(T * G * T);
  for (let row = 0; row < T * G; row++) mask.fill(1, row * T, row * T + Math.floor(row / G) + 1);
  return ops.fromHost(mask, [T * G, T]);
}
