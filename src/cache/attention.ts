/**
 * Attention of new tokens over one layer's packed segments.
 *
 * Scratch is bounded: as many new tokens are taken together as their scores fit into it.
 * Alphabet: T new tokens, H query heads, KV, G = H/KV, R = G·T query rows of a KV head, n cached tokens, D width.
 */
import type { Kernels, Pointer } from '../kernels/index.js';
import type { PackedRows } from '../kernels/rows.js';
import { bitAt } from './encode/pack-bits.js';
import type { PackedSide, Segment } from './rows/segment.js';

/** Scores of at most this many bytes are held at once, unless a single token needs more. */
const SCORE_BYTES = 16 * 2 ** 20;

/** Rows that are written out as float32 at once. */
const EXPANDED_ROWS = 128;

/** One KV head: the same n tokens on both sides, the T new ones last. */
export interface HeadCache {
  readonly keys: PackedSide;
  readonly values: PackedSide;
  /** n, new tokens included. */
  readonly length: number;
}

/** Which logits a layer's softmax is given. */
export interface LayerRules {
  /** c: c · tanh(logit / c) in place of the logit. */
  readonly softCap?: number | undefined;
  /** Per KV head: how many of its oldest tokens are out of the window of the new token, of which there is one then. */
  readonly expired?: readonly number[] | undefined;
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
  { softCap, expired }: LayerRules = {},
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
        const shape = { rows, group, visible, stride, softCap, expired: expired?.[h] ?? 0 };
        attendHead(kernels, head, width, shape, scratch);
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
  /** `[EXPANDED_ROWS, D]` */
  readonly expanded: Pointer;
  /** `[R, stride]` */
  readonly scores: Pointer;
}

function borrowScratch(kernels: Kernels, rows: number, width: number, stride: number): Scratch {
  const rowBytes = 4 * rows * width;
  const expandedBytes = 4 * EXPANDED_ROWS * width;
  const queries = kernels.memory.alloc(3 * rowBytes + expandedBytes + 4 * rows * stride);
  return {
    queries,
    out: queries + rowBytes,
    narrow: queries + 2 * rowBytes,
    expanded: queries + 3 * rowBytes,
    scores: queries + 3 * rowBytes + expandedBytes,
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
  readonly softCap: number | undefined;
  /** Of the visible tokens, the oldest ones that are not seen. */
  readonly expired: number;
}

/** A logit whose exp() is 0 beside any other. */
const UNSEEN = -1e30;

/** `scratch.queries` → `scratch.out`. */
function attendHead(kernels: Kernels, head: HeadCache, width: number, shape: Rows, scratch: Scratch): void {
  const { rows, group, visible, stride, softCap, expired } = shape;
  forEachSegment(head.keys, (segment, first) => {
    let from = scratch.queries;
    if (segment.columns !== undefined) {
      from = scratch.narrow;
      kernels.gather(segment.columns, width, segment.rows.width, scratch.queries, rows, from);
      if (segment.queryMasks !== undefined) maskColumns(kernels, segment, width, shape, from);
    }
    forEachBlock(segment, scratch.expanded, (packed, offset) => {
      kernels.score(packed, from, rows, scratch.scores + 4 * (first + offset), stride);
    });
  });
  const scale = 1 / Math.sqrt(width);
  if (softCap !== undefined) kernels.softCap(scratch.scores, rows, stride, head.length, softCap / scale);
  if (expired > 0) {
    const scores = kernels.memory.floats(scratch.scores, rows * stride);
    for (let r = 0; r < rows; r++) scores.fill(UNSEEN, r * stride, r * stride + expired);
  }
  kernels.softmax(scratch.scores, rows, stride, { visible, group }, scale);
  kernels.memory.floats(scratch.out, rows * width).fill(0);
  forEachSegment(head.values, (segment, first) => {
    const { columns } = segment;
    const to = columns === undefined ? scratch.out : scratch.narrow;
    if (columns !== undefined) kernels.memory.floats(to, rows * padded(segment.rows.width)).fill(0);
    forEachBlock(segment, scratch.expanded, (packed, offset) => {
      const before = first + offset;
      const causality = { visible: visible - before, group };
      kernels.accumulate(packed, scratch.scores + 4 * before, rows, stride, causality, to);
    });
    if (columns !== undefined) {
      if (segment.queryMasks !== undefined) maskColumns(kernels, segment, width, shape, to);
      kernels.scatterAdd(columns, width, segment.rows.width, to, rows, scratch.out);
    }
  });
}

/** Zeroes, in queries or outputs of the kept columns `[R, pad4(kept)]`, those that a row's query head does not read. */
function maskColumns(
  kernels: Kernels,
  { rows, columns, queryMasks }: Segment,
  width: number,
  shape: Rows,
  narrow: Pointer,
): void {
  const union = kernels.memory.bytes(columns!, width / 8);
  const masks = kernels.memory.bytes(queryMasks!, (shape.group * width) / 8); // [G, D] bits
  const stride = padded(rows.width);
  const entries = kernels.memory.floats(narrow, shape.rows * stride);
  let column = 0;
  for (let j = 0; j < width; j++) {
    if (bitAt(union, j) === 0) continue;
    for (let r = 0; r < shape.rows; r++) {
      if (bitAt(masks, (r % shape.group) * width + j) === 0) entries[r * stride + column] = 0;
    }
    column++;
  }
}

/** Calls `visit` with rows that a kernel reads and the index of the first of them in the segment. */
function forEachBlock(
  { rows }: Segment,
  scratch: Pointer,
  visit: (rows: PackedRows, offset: number) => void,
): void {
  if (rows.kind !== 'expanded') {
    visit(rows, 0);
    return;
  }
  for (let from = 0; from < rows.count; from += EXPANDED_ROWS) {
    const count = Math.min(EXPANDED_ROWS, rows.count - from);
    rows.expand(from, count, scratch);
    visit({ kind: 'dense', format: 'float32', count, width: rows.width, entries: scratch }, from);
  }
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
