/**
 * Causal attention over the full prompt in blocks of queries.
 *
 * Decides the block sizes and the masks. The G query heads of a KV head are folded into the rows of one
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
      const block = { start, end: Math.min(S, start + T) };
      const take = (weights: Tensor, mine: QueryRows): void => {
        if (sums !== undefined) addColumns(ops, weights, mine, S, sums);
      };
      blocks.push(
        ops.tidy(() => {
          const mask = causalMask(ops, block.start, block.end);
          return attendBlock(ops, heads, sides, block, (side, mine) =>
            attendHead(ops, heads.queries, mine, side, mask, take),
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
  { start, end }: Pick<QueryRows, 'start' | 'end'>,
  attend: (side: HeadSides, rows: QueryRows, kv: number) => Tensor,
): Tensor {
  const [H, , D] = heads.queries.shape as [number, number, number];
  const G = H / sides.length;
  return ops.tidy(() => {
    const outputs = sides.map((side, kv) => {
      const rows = { firstHead: kv * G, heads: G, start, end };
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

/** Softmax attention of the query heads of one KV head where `mask [T, end]` is 0, `[G·T, D]`; `take` is shown the weights `[G·T, end]`. */
export function attendHead(
  ops: Ops,
  queries: Tensor,
  rows: QueryRows,
  { keysT, values }: HeadSides,
  mask: Tensor,
  take?: (weights: Tensor, rows: QueryRows) => void,
): Tensor {
  return ops.tidy(() => {
    const weights = weightsOf(ops, queries, rows, keysT, mask); // [G·T, end]
    take?.(weights, rows);
    return ops.matMul(weights, ops.slice(values, [0, 0], [rows.end, keysT.shape[0]]));
  });
}

/** Adds the column sums of `weights [G·T, end]` to `sums [H, S]`. */
function addColumns(
  ops: Ops,
  weights: Tensor,
  { firstHead, heads: G, start, end }: QueryRows,
  S: number,
  sums: Float64Array,
): void {
  const columns = ops.toHost(ops.sum(ops.reshape(weights, [G, end - start, end]), 1)); // [G, end]
  for (let g = 0; g < G; g++) {
    for (let t = 0; t < end; t++) sums[(firstHead + g) * S + t]! += columns[g * end + t]!;
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

/** Queries `start … end − 1` of `heads` query heads from `firstHead` on: G of them, T = end − start. */
export interface QueryRows {
  readonly firstHead: number;
  readonly heads: number;
  readonly start: number;
  readonly end: number;
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

/** Logits against keys `0 … end − 1`, scaled by 1/√D, `[G·T, end]`. */
export function logitsOf(ops: Ops, queries: Tensor, rows: QueryRows, keysT: Tensor): Tensor {
  const D = keysT.shape[0];
  const { end } = rows;
  return ops.tidy(() => {
    const keys = end === keysT.shape[1] ? keysT : ops.slice(keysT, [0, 0], [D, end]);
    return ops.matMul(queryRows(ops, queries, rows), keys);
  });
}

/** Softmax of the logits where `mask [T, end]` is 0, `[G·T, end]`. */
export function weightsOf(ops: Ops, queries: Tensor, rows: QueryRows, keysT: Tensor, mask: Tensor): Tensor {
  const { heads: G, start, end } = rows;
  return ops.tidy(() => {
    const logits = ops.reshape(logitsOf(ops, queries, rows, keysT), [G, end - start, end]);
    return ops.softmax(ops.reshape(ops.add(logits, mask), [G * (end - start), end]));
  });
}

/** Where a mask is written before the engine copies it: kept, as masks are large and every block of a layer needs one. */
let maskRoom = new Float32Array(0);

/** `[T, end]`: 0 where query `start + t` sees the key, `MASKED` where it does not. */
export function causalMask(ops: Ops, start: number, end: number): Tensor {
  const T = end - start;
  if (maskRoom.length < T * end) maskRoom = new Float32Array(T * end);
  const mask = maskRoom.subarray(0, T * end);
  for (let t = 0; t < T; t++) {
    const seen = t * end + start + t + 1;
    mask.fill(0, t * end, seen).fill(MASKED, seen, (t + 1) * end);
  }
  return ops.fromHost(mask, [T, end]);
}
