/**
 * Attention of new tokens over one layer's packed segments.
 *
 * Decides the order of the kernels and their scratch, which is borrowed for one call and bounded: as many new
 * tokens are taken together as their scores fit into it. Knows no codec.
 * Alphabet: T new tokens, H query heads, KV, G = H/KV, R = G·T query rows of a KV head, n cached tokens, D width.
 */
import type { Kernels, Pointer } from '../kernels/index.js';
import type { PackedSide, Segment } from './segment.js';

/** Scores of at most this many bytes are held at once, unless a single token needs more. */
const SCORE_BYTES = 16 * 2 ** 20;

/** One KV head: the same n tokens on both sides, the T new ones last. */
export interface HeadCache {
  readonly keys: PackedSide;
  readonly values: PackedSide;
  /** n, new tokens included. */
  readonly length: number;
}

/**
 * Causal attention, logits scaled by 1/√D.
 *
 * @param heads one per KV head
 * @param queries `[T, H, D]`, unscaled
 * @param out `[T, H, D]`, overwritten
 */
export function attendLayer(
  kernels: Kernels,
  heads: readonly HeadCache[],
  width: number,
  queries: Float32Array,
  tokens: number,
  out: Float32Array,
): void {
  const group = queries.length / (tokens * heads.length * width); // G
  const stride = Math.max(...heads.map(({ length }) => padded(length)));
  const together = Math.max(1, Math.min(tokens, Math.floor(SCORE_BYTES / (4 * group * stride))));
  const scratch = borrowScratch(kernels, together * group, width, stride);
  try {
    for (let from = 0; from < tokens; from += together) {
      const count = Math.min(together, tokens - from);
      heads.forEach((head, h) => {
        const rowsOf = (t: number): [number, number] => {
          const start = ((from + t) * heads.length + h) * group * width;
          return [start, start + group * width];
        };
        const rows = count * group;
        const packedQueries = kernels.memory.floats(scratch.queries, rows * width); // [R, D]
        for (let t = 0; t < count; t++) {
          packedQueries.set(queries.subarray(...rowsOf(t)), t * group * width);
        }
        const visible = head.length - tokens + from + 1;
        attendHead(kernels, head, width, { rows, group, visible, stride }, scratch);
        const attended = kernels.memory.floats(scratch.out, rows * width); // [R, D]
        for (let t = 0; t < count; t++) {
          out.set(attended.subarray(t * group * width, (t + 1) * group * width), rowsOf(t)[0]);
        }
      });
    }
  } finally {
    kernels.memory.free(scratch.queries);
  }
}

interface Scratch {
  /** `[R, D]`; also the address of the whole scratch. */
  readonly queries: Pointer;
  /** `[R, D]` */
  readonly out: Pointer;
  /** `[R, pad4(T)]`, queries or outputs of some channels only. */
  readonly narrow: Pointer;
  /** `[R, stride]` */
  readonly scores: Pointer;
}

function borrowScratch(kernels: Kernels, rows: number, width: number, stride: number): Scratch {
  const rowBytes = 4 * rows * width;
  const queries = kernels.memory.alloc(3 * rowBytes + 4 * rows * stride);
  return {
    queries,
    out: queries + rowBytes,
    narrow: queries + 2 * rowBytes,
    scores: queries + 3 * rowBytes,
  };
}

interface Rows {
  /** R */
  readonly rows: number;
  /** G */
  readonly group: number;
  /** Cached tokens that the first new token sees, itself included. */
  readonly visible: number;
  /** Entries from one row of scores to the next. */
  readonly stride: number;
}

/** `scratch.queries` → `scratch.out`. */
function attendHead(kernels: Kernels, head: HeadCache, width: number, shape: Rows, scratch: Scratch): void {
  const { rows, group, visible, stride } = shape;
  forEachSegment(head.keys, ({ rows: packed, columns }, first) => {
    const scores = scratch.scores + 4 * first;
    if (columns === undefined) {
      kernels.score(packed, scratch.queries, rows, scores, stride);
    } else {
      kernels.gather(columns, width, packed.width, scratch.queries, rows, scratch.narrow);
      kernels.score(packed, scratch.narrow, rows, scores, stride);
    }
  });
  kernels.softmax(scratch.scores, rows, stride, { visible, group }, 1 / Math.sqrt(width));
  kernels.memory.floats(scratch.out, rows * width).fill(0);
  forEachSegment(head.values, ({ rows: packed, columns }, first) => {
    const weights = scratch.scores + 4 * first;
    const causality = { visible: visible - first, group };
    if (columns === undefined) {
      kernels.accumulate(packed, weights, rows, stride, causality, scratch.out);
    } else {
      kernels.memory.floats(scratch.narrow, rows * padded(packed.width)).fill(0);
      kernels.accumulate(packed, weights, rows, stride, causality, scratch.narrow);
      kernels.scatterAdd(columns, width, packed.width, scratch.narrow, rows, scratch.out);
    }
  });
}

/** Calls `visit` with each segment and the index of its first token. */
function forEachSegment(side: PackedSide, visit: (segment: Segment, first: number) => void): void {
  let first = 0;
  for (const segment of side) {
    visit(segment, first);
    first += segment.rows.count;
  }
}

/** The next multiple of 4. */
function padded(count: number): number {
  return Math.ceil(count / 4) * 4;
}
