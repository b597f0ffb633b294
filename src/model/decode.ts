/**
 * Decode: continuations of one prompt under many caches, as rows of one batch.
 *
 * Each weight matrix is read once per step for a block of rows. A row's arithmetic never depends on its neighbours:
 * matmuls always run on blocks of one of `engine.rowBlocks`, which give it the same bits, attention runs row by row.
 * Knows caches only as something that appends and attends.
 * Alphabet: R rows, B slots in a block, T new tokens of a row, H, KV, D, E, V as everywhere.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LayerCache } from '../cache/types.js';
import { concatenate } from '../base/concatenate.js';
import type { Engine, Tensor } from '../engine/types.js';
import type { LayerWeights } from './layer-weights.js';
import { notFinite } from '../base/not-finite.js';
import { rotateHeads, type RopeTable } from './rope.js';
import type { Transformer } from './transformer.js';

export interface DecodeRow {
  /** One per layer. */
  readonly caches: readonly LayerCache[];
  /** Position of the next token: the prompt's length, whatever was evicted. */
  position: number;
  /** Tokens that the run may come to, where RoPE depends on the length; as of its prefill. */
  readonly reach?: number | undefined;
}

export interface GenerateRequest {
  readonly rows: readonly DecodeRow[];
  /** Fed to every row before generation; at least one. */
  readonly suffixIds: readonly number[];
  readonly maxNewTokens: number;
  readonly stopIds: readonly number[];
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((generated: number) => void) | undefined;
}

/**
 * Greedy continuations, one list of ids per row, the stop id included.
 *
 * The first token is not checked for a stop id, as in the protocol of the published tables: if it is one,
 * generation goes on.
 */
export async function generate(model: Transformer, request: GenerateRequest): Promise<number[][]> {
  const generated: number[][] = request.rows.map(() => []);
  let active = request.rows.map((row, index) => ({ row, index }));
  let inputs = active.map(() => request.suffixIds);
  const stop = new Set(request.stopIds);
  for (let step = 0; step < request.maxNewTokens && active.length > 0; step++) {
    request.signal?.throwIfAborted();
    const ids = bestIds(
      model,
      active.map(({ row }) => row),
      inputs,
    );
    active.forEach(({ index }, slot) => generated[index]!.push(ids[slot]!));
    active = active.filter(({ index }) => {
      const tokens = generated[index]!;
      return tokens.length === 1 || !stop.has(tokens.at(-1)!);
    });
    inputs = active.map(({ index }) => [generated[index]!.at(-1)!]);
    request.onStep?.(step + 1);
    await nextTurn();
  }
  return generated;
}

/** Advances each row by its tokens; the id with the largest logit after each row's last token. Throws where one is NaN. */
function bestIds(
  model: Transformer,
  rows: readonly DecodeRow[],
  tokens: readonly (readonly number[])[],
): number[] {
  const blocks = advance(model, rows, tokens);
  const { ops } = model;
  const ids = blocks.flatMap((logits) => [...ops.argMax(logits)]);
  const sums = blocks.flatMap((logits) => [...ops.tidy(() => ops.toHost(ops.sum(logits, 1)))]);
  ops.dispose(...blocks);
  if (!sums.every(Number.isFinite)) throw notFinite('the logits are not finite');
  return ids.slice(0, rows.length);
}

/**
 * Advances each row by its tokens.
 *
 * @param tokens one non-empty list per row
 * @returns logits after each row's last token, `[R, V]`
 */
export function logitsAfter(
  model: Transformer,
  rows: readonly DecodeRow[],
  tokens: readonly (readonly number[])[],
): Float32Array[] {
  const { vocabulary } = model.config;
  const blocks = advance(model, rows, tokens);
  const logits = blocks.flatMap((block) => {
    const flat = model.ops.toHost(block);
    return Array.from({ length: block.shape[0] }, (_, r) => flat.slice(r * vocabulary, (r + 1) * vocabulary));
  });
  model.ops.dispose(...blocks);
  return logits.slice(0, rows.length);
}

/** Feeds the tokens; logits after each row's last token in blocks `[B, V]`, in the order of the rows. */
function advance(
  model: Transformer,
  rows: readonly DecodeRow[],
  tokens: readonly (readonly number[])[],
): Tensor[] {
  const { ops, config, engine } = model;
  const slots = rows.map((row, r) => ({
    row,
    count: tokens[r]!.length,
    tables: model.rotations.tables(row.position, tokens[r]!.length, row.reach),
  }));
  const ids = tokens.flat();
  let blocks = blocksOf(ids.length, engine).map(({ start, count, padded }) =>
    model.embed(ids.slice(start, start + count), padded),
  );
  for (const [layer, weights] of model.layers.entries()) {
    const attended = attendRows(model, weights, layer, blocks, slots);
    const width = config.heads * config.headDim;
    const next = blocks.map((x, b) =>
      ops.tidy(() => {
        const rows = x.shape[0];
        const start = b * blocks[0]!.shape[0];
        return model.finish(
          weights,
          x,
          ops.fromHost(attended.subarray(start * width, (start + rows) * width), [rows, width]),
        );
      }),
    );
    ops.dispose(...blocks);
    blocks = next;
  }
  for (const { row, count } of slots) row.position += count;
  return lastLogits(model, blocks, slots);
}

interface Slot {
  readonly row: DecodeRow;
  /** T */
  readonly count: number;
  /** By layer. */
  readonly tables: readonly (RopeTable | undefined)[];
}

/** Projects all blocks, then appends and attends row by row on the host; `[slots padded, H·D]`. */
function attendRows(
  model: Transformer,
  weights: LayerWeights,
  layer: number,
  blocks: readonly Tensor[],
  slots: readonly Slot[],
): Float32Array {
  const { ops, config } = model;
  const { heads: H, kvHeads: KV, headDim: D } = config;
  const B = blocks[0]!.shape[0];
  const qWidth = H * D;
  const kvWidth = KV * D;
  const width = qWidth + 2 * kvWidth;
  const projected = blocks.map((x) => ops.tidy(() => ops.toHost(projectHeads(model, weights, x))));
  const joined = projected.length === 1 ? projected[0]! : concatenate(projected);
  const attended = new Float32Array(blocks.length * B * qWidth);
  let first = 0;
  for (const { row, count: T, tables } of slots) {
    const table = tables[layer];
    for (let t = 0; t < T && table !== undefined; t++)
      rotateHeads(joined, (first + t) * width, H + KV, D, table, t);
    /** Some columns of this row's tokens, `[T, size]`; of a single token not copied. */
    const columns = (from: number, size: number): Float32Array => {
      const start = first * width + from;
      if (T === 1) return joined.subarray(start, start + size);
      const out = new Float32Array(T * size);
      for (let t = 0; t < T; t++) {
        out.set(joined.subarray(start + t * width, start + t * width + size), t * size);
      }
      return out;
    };
    const queries = columns(0, qWidth); // [T, H, D]
    const keys = columns(qWidth, kvWidth); // [T, KV, D]
    const values = columns(qWidth + kvWidth, kvWidth);
    const cache = row.caches[layer]!;
    cache.append(keys, values, T);
    cache.attend(queries, T, attended.subarray(first * qWidth, (first + T) * qWidth));
    first += T;
  }
  return attended;
}

/** q|k|v of a block with head norms applied, before RoPE, `[B, (H + 2·KV)·D]`. */
function projectHeads(model: Transformer, weights: LayerWeights, x: Tensor): Tensor {
  const { ops, config } = model;
  const { heads: H, kvHeads: KV, headDim: D } = config;
  const joined = model.project(weights, x);
  if (config.headNorm !== 'head') return joined;
  const B = x.shape[0];
  const part = (from: number, heads: number): Tensor =>
    ops.reshape(ops.slice(joined, [0, from * D], [B, heads * D]), [B, heads, D]);
  return ops.reshape(
    ops.concat(
      [
        model.normHeads(part(0, H), weights.queryNorm),
        model.normHeads(part(H, KV), weights.keyNorm),
        part(H + KV, KV),
      ],
      1,
    ),
    [B, (H + 2 * KV) * D],
  );
}

/** Gathers each row's last hidden state into blocks of their own and projects them to the vocabulary. */
function lastLogits(model: Transformer, blocks: Tensor[], slots: readonly Slot[]): Tensor[] {
  const { ops, engine, config } = model;
  const E = config.hidden;
  const hidden = blocks.map((x) => ops.toHost(x));
  const B = blocks[0]!.shape[0];
  ops.dispose(...blocks);
  let end = 0;
  const last = slots.map(({ count }) => (end += count) - 1);
  return blocksOf(slots.length, engine).map(({ start, count, padded }) => {
    const x = new Float32Array(padded * E);
    for (let r = 0; r < count; r++) {
      const slot = last[start + r]!;
      const at = (slot % B) * E;
      x.set(hidden[Math.floor(slot / B)]!.subarray(at, at + E), r * E);
    }
    return ops.tidy(() => model.logits(ops.fromHost(x, [padded, E])));
  });
}

interface Block {
  readonly start: number;
  readonly count: number;
  /** Rows with padding. */
  readonly padded: number;
}

/**
 * Cuts `total` rows into blocks whose matmuls give the same bits for a row whatever stands beside it: a single block where
 * rows are independent anyway, else blocks of the largest size, the last one of the smallest that is enough.
 */
function blocksOf(total: number, { rowBlocks }: Engine): Block[] {
  const largest = rowBlocks.at(-1) ?? total;
  return Array.from({ length: Math.ceil(total / largest) }, (_, b) => {
    const start = b * largest;
    const count = Math.min(largest, total - start);
    return { start, count, padded: rowBlocks.find((size) => size >= count) ?? count };
  });
}
