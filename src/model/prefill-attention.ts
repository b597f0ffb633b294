/**
 * Causal attention over the full prompt, or over a window of it, in blocks of queries.
 *
 * A block reads the keys that its queries may see. The G query heads of a KV head are folded into the rows of one
 * 2-D matmul, the form that is fast and right on every engine.
 */
import type { Ops, Tensor } from '../engine/types.js';

export interface LayerHeads {
  /** `[H, S, D]`, rotated */
  readonly queries: Tensor;
  /** `[KV, S, D]`, rotated */
  readonly keys: Tensor;
  /** `[KV, S, D]` */
  readonly values: Tensor;
  /** c · tanh(logit / c) is what the softmax is given. */
  readonly softCap?: number | undefined;
  /** W: a query sees itself and the W − 1 positions before it. */
  readonly window?: number | undefined;
}

/** Attention scores held at once: G·T·S floats, 64 MiB. */
const MAX_SCORES = 16 * 2 ** 20;
const MAX_QUERY_BLOCK = 512;
/** Added to the logits of keys that a query must not see: exp() of it is 0 in float32. */
const MASKED = -1e30;

export interface Attended {
  /** `[S − from, H·D]` */
  readonly attended: Tensor;
  /** Softmax attention that each key gets from all these queries, `[H, S]`. */
  readonly sums: Float32Array | undefined;
}

/** Attention output of the queries at positions `from … S − 1`; with `summed`, the sums over them too. */
export function causalAttention(ops: Ops, heads: LayerHeads, from: number, summed = false): Attended {
  const [H, S] = heads.queries.shape as [number, number, number];
  const KV = heads.keys.shape[0];
  const G = H / KV;
  const T = Math.max(1, Math.min(MAX_QUERY_BLOCK, Math.floor(MAX_SCORES / (G * S))));
  const sums = summed ? new Float64Array(H * S) : undefined;
  const attended = ops.tidy(() => {
    const sides = perHead(ops, heads);
    const blocks: Tensor[] = [];
    for (let start = from; start < S; start += T) {
      const block = { start, end: Math.min(S, start + T), first: firstSeen(start, heads.window) };
      const take = (weights: Tensor, mine: QueryRows): void => {
        if (sums !== undefined) addColumns(ops, weights, mine, S, sums);
      };
      blocks.push(
        ops.tidy(() => {
          const mask = causalMask(ops, block, heads.window);
          return attendBlock(ops, heads, sides, block, (side, mine) =>
            attendHead(ops, heads, mine, side, mask, take),
          );
        }),
      );
    }
    return blocks.length === 1 ? blocks[0]! : ops.concat(blocks, 0);
  });
  return { attended, sums: sums === undefined ? undefined : Float32Array.from(sums) };
}

/** All heads of a block of queries: `attend` gives `[G·T, D]` of each KV head; `[T, H·D]`. */
function attendBlock(
  ops: Ops,
  heads: LayerHeads,
  sides: readonly HeadSides[],
  { start, end, first }: Span,
  attend: (side: HeadSides, rows: QueryRows, kv: number) => Tensor,
): Tensor {
  const [H, , D] = heads.queries.shape as [number, number, number];
  const G = H / sides.length;
  return ops.tidy(() => {
    const outputs = sides.map((side, kv) => {
      const rows = { firstHead: kv * G, heads: G, start, end, first };
      return ops.tidy(() => ops.reshape(attend(side, rows, kv), [G, end - start, D]));
    });
    return tokensFirst(ops, outputs.length === 1 ? outputs[0]! : ops.concat(outputs, 0));
  });
}

/** Some heads `[N, T, D]` as rows of tokens, `[T, N·D]`. */
export function tokensFirst(ops: Ops, byHead: Tensor): Tensor {
  const [N, T, D] = byHead.shape as [number, number, number];
  return ops.tidy(() => ops.reshape(ops.transpose(byHead, [1, 0, 2]), [T, N * D]));
}

/** Softmax attention of the query heads of one KV head where `mask [T, keys]` is 0, `[G·T, D]`; `take` is shown the weights `[G·T, keys]`. */
export function attendHead(
  ops: Ops,
  heads: LayerHeads,
  rows: QueryRows,
  { keysT, values }: HeadSides,
  mask: Tensor,
  take?: (weights: Tensor, rows: QueryRows) => void,
): Tensor {
  return ops.tidy(() => {
    const weights = weightsOf(ops, heads, rows, keysT, mask); // [G·T, keys]
    take?.(weights, rows);
    return ops.matMul(weights, ops.slice(values, [rows.first, 0], [rows.end - rows.first, keysT.shape[0]]));
  });
}

/** Adds the column sums of `weights [G·T, keys]` to `sums [H, S]`. */
function addColumns(
  ops: Ops,
  weights: Tensor,
  { firstHead, heads: G, start, end, first }: QueryRows,
  S: number,
  sums: Float64Array,
): void {
  const keys = end - first;
  const columns = ops.toHost(ops.sum(ops.reshape(weights, [G, end - start, keys]), 1)); // [G, keys]
  for (let g = 0; g < G; g++) {
    for (let t = 0; t < keys; t++) sums[(firstHead + g) * S + first + t]! += columns[g * keys + t]!;
  }
}

export interface HeadSides {
  /** `[D, S]` */
  readonly keysT: Tensor;
  /** `[S, D]` */
  readonly values: Tensor;
}

/** Keys and values of each KV head. */
export function perHead(ops: Ops, heads: LayerHeads): HeadSides[] {
  const [KV, S, D] = heads.keys.shape as [number, number, number];
  return Array.from({ length: KV }, (_, kv) => {
    const one = (x: Tensor): Tensor => ops.reshape(ops.slice(x, [kv, 0, 0], [1, S, D]), [S, D]);
    return { keysT: ops.transpose(one(heads.keys), [1, 0]), values: one(heads.values) };
  });
}

/** Queries `start … end − 1` and the keys `first … end − 1` that they may see. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly first: number;
}

/** A span of `heads` query heads from `firstHead` on: G of them, T = end − start. */
export interface QueryRows extends Span {
  readonly firstHead: number;
  readonly heads: number;
}

/** The first key that a query at `position` sees. */
export function firstSeen(position: number, window: number | undefined): number {
  return window === undefined ? 0 : Math.max(0, position - window + 1);
}

/** Queries of `rows`, scaled by 1/√D, `[G·T, D]`. */
export function queryRows(ops: Ops, queries: Tensor, { firstHead, heads: G, start, end }: QueryRows): Tensor {
  const D = queries.shape[2]!;
  const T = end - start;
  return ops.tidy(() => {
    const rows = ops.reshape(ops.slice(queries, [firstHead, start, 0], [G, T, D]), [G * T, D]);
    return ops.scale(rows, 1 / Math.sqrt(D));
  });
}

/** Logits against keys `first … end − 1`, scaled by 1/√D and capped, `[G·T, keys]`. */
export function logitsOf(ops: Ops, heads: LayerHeads, rows: QueryRows, keysT: Tensor): Tensor {
  const D = keysT.shape[0];
  const count = rows.end - rows.first;
  return ops.tidy(() => {
    const keys = count === keysT.shape[1] ? keysT : ops.slice(keysT, [0, rows.first], [D, count]);
    const logits = ops.matMul(queryRows(ops, heads.queries, rows), keys);
    return heads.softCap === undefined ? logits : ops.softCap(logits, heads.softCap);
  });
}

/** Softmax of the logits where `mask [T, keys]` is 0, `[G·T, keys]`. */
export function weightsOf(ops: Ops, heads: LayerHeads, rows: QueryRows, keysT: Tensor, mask: Tensor): Tensor {
  const { heads: G, start, end, first } = rows;
  const keys = end - first;
  return ops.tidy(() => {
    const logits = ops.reshape(logitsOf(ops, heads, rows, keysT), [G, end - start, keys]);
    return ops.softmax(ops.reshape(ops.add(logits, mask), [G * (end - start), keys]));
  });
}

/** Where a mask is written before the engine copies it: kept, as masks are large and every block of a layer needs one. */
let maskRoom = new Float32Array(0);

/** `[T, keys]`: 0 where query `start + t` sees the key, `MASKED` where it does not. */
export function causalMask(ops: Ops, { start, end, first }: Span, window: number | undefined): Tensor {
  const T = end - start;
  const keys = end - first;
  if (maskRoom.length < T * keys) maskRoom = new Float32Array(T * keys);
  const mask = maskRoom.subarray(0, T * keys);
  for (let t = 0; t < T; t++) {
    const row = t * keys - first;
    const seen = row + start + t + 1;
    const from = Math.max(row + first, row + firstSeen(start + t, window));
    mask
      .fill(MASKED, t * keys, from)
      .fill(0, from, seen)
      .fill(MASKED, seen, (t + 1) * keys);
  }
  return ops.fromHost(mask, [T, keys]);
}
