/**
 * Attention of new tokens over one layer's packed segments.
 *
 * Scratch is bounded: as many new tokens are taken together as their scores fit into it.
 * Alphabet: T new tokens, H query heads, KV, G = H/KV, R = G·T query rows of a KV head, n cached tokens, D width.
 */
import type { Kernels, Pointer } from '../kernels/index.js';
import type { PackedRows } from '../kernels/rows.js';
import type { AttentionPlace, AttentionWork } from './attention-work.js';
import type { PackedSide, Segment } from './rows/segment.js';

/** Scores of at most this many bytes are held at once, unless a single token needs more. */
const SCORE_BYTES = 4 * 2 ** 20;

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
 * @param group G
 * @param place the T tokens' queries, unscaled, and where their outputs go
 */
export function attendLayer(
  work: AttentionWork,
  heads: readonly HeadCache[],
  { width, group }: { readonly width: number; readonly group: number },
  tokens: number,
  place: AttentionPlace,
  { softCap, expired }: LayerRules = {},
): void {
  const { kernels } = work;
  const stride = Math.max(...heads.map(({ length }) => padded(length)));
  const together = Math.max(1, Math.min(tokens, Math.floor(SCORE_BYTES / (4 * group * stride))));
  const scratch = layScratch(work, heads, together * group, width, stride);
  const size = 4 * group * width; // bytes of a token's query heads of one KV head
  for (let from = 0; from < tokens; from += together) {
    const count = Math.min(together, tokens - from);
    heads.forEach((head, h) => {
      work.item(callsOf(head));
      const at = place.queries + from * place.queryStride + h * size;
      const to = place.out + from * place.outStride + h * size;
      const alone = count === 1;
      if (!alone) kernels.copy(at, place.queryStride, scratch.queries, size, size, count);
      const shape = {
        rows: count * group,
        group,
        visible: head.length - tokens + from + 1,
        stride,
        softCap,
        expired: expired?.[h] ?? 0,
      };
      const own = { ...scratch, queries: alone ? at : scratch.queries, out: alone ? to : scratch.out };
      attendHead(kernels, head, width, shape, own);
      if (!alone) kernels.copy(scratch.out, size, to, place.outStride, size, count);
    });
  }
}

interface Scratch {
  /** `[R, D]` */
  readonly queries: Pointer;
  /** `[R, D]` */
  readonly out: Pointer;
  /** `[R, pad4(T)]`, queries or outputs of some channels only. */
  readonly narrow: Pointer;
  /** `[EXPANDED_ROWS, D]` */
  readonly expanded: Pointer;
  /** What expanding needs beside that. */
  readonly beside: Pointer;
  /** `[R, stride]` */
  readonly scores: Pointer;
}

function layScratch(
  work: AttentionWork,
  heads: readonly HeadCache[],
  rows: number,
  width: number,
  stride: number,
): Scratch {
  const rowBytes = 4 * rows * width;
  const expandedBytes = 4 * EXPANDED_ROWS * width;
  const besideBytes = Math.max(
    ...heads.flatMap(({ keys, values }) =>
      [...keys, ...values].map(({ rows }) => (rows.kind === 'expanded' ? (rows.scratchBytes ?? 0) : 0)),
    ),
    0,
  );
  const queries = work.scratch(3 * rowBytes + expandedBytes + besideBytes + 4 * rows * stride);
  const expanded = queries + 3 * rowBytes;
  return {
    queries,
    out: queries + rowBytes,
    narrow: queries + 2 * rowBytes,
    expanded,
    beside: expanded + expandedBytes,
    scores: expanded + expandedBytes + besideBytes,
  };
}

/** At most so many kernel calls. */
function callsOf({ keys, values }: HeadCache): number {
  const blocks = [...keys, ...values].reduce(
    (total, { rows }) =>
      total + (rows.kind === 'expanded' ? 4 * (1 + Math.ceil(rows.count / EXPANDED_ROWS)) : 1),
    0,
  );
  return 6 + blocks + 3 * (keys.length + values.length);
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
      maskQueries(kernels, segment, width, shape, from);
    }
    forEachBlock(kernels, segment, scratch, (packed, offset) => {
      kernels.score(packed, from, rows, scratch.scores + 4 * (first + offset), stride);
    });
  });
  const scale = 1 / Math.sqrt(width);
  if (softCap !== undefined) kernels.softCap(scratch.scores, rows, stride, head.length, softCap / scale);
  if (expired > 0) kernels.fill(scratch.scores, stride, rows, expired, UNSEEN);
  kernels.softmax(scratch.scores, rows, stride, { visible, group }, scale);
  kernels.fill(scratch.out, width, rows, width, 0);
  forEachSegment(head.values, (segment, first) => {
    const { columns } = segment;
    const to = columns === undefined ? scratch.out : scratch.narrow;
    const kept = padded(segment.rows.width);
    if (columns !== undefined) kernels.fill(to, kept, rows, kept, 0);
    forEachBlock(kernels, segment, scratch, (packed, offset) => {
      const before = first + offset;
      const causality = { visible: visible - before, group };
      kernels.accumulate(packed, scratch.scores + 4 * before, rows, stride, causality, to);
    });
    if (columns !== undefined) {
      maskQueries(kernels, segment, width, shape, to);
      kernels.scatterAdd(columns, width, segment.rows.width, to, rows, scratch.out);
    }
  });
}

/** Zeroes, in queries or outputs of the kept columns `[R, pad4(kept)]`, those that a row's query head does not read. */
function maskQueries(
  kernels: Kernels,
  { rows, columns, queryMasks }: Segment,
  width: number,
  shape: Rows,
  narrow: Pointer,
): void {
  if (queryMasks === undefined) return;
  kernels.maskColumns(columns!, queryMasks, { ...shape, width, kept: rows.width }, narrow);
}

/** Calls `visit` with rows that a kernel reads and the index of the first of them in the segment. */
function forEachBlock(
  kernels: Kernels,
  { rows }: Segment,
  { expanded, beside }: Pick<Scratch, 'expanded' | 'beside'>,
  visit: (rows: PackedRows, offset: number) => void,
): void {
  if (rows.kind !== 'expanded') {
    visit(rows, 0);
    return;
  }
  for (let from = 0; from < rows.count; from += EXPANDED_ROWS) {
    const count = Math.min(EXPANDED_ROWS, rows.count - from);
    rows.expand(kernels, from, count, expanded, beside);
    visit({ kind: 'dense', format: 'float32', count, width: rows.width, entries: expanded }, from);
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
