/**
 * Prefill: the whole prompt through the model once, one layer after the other.
 *
 * A layer's dense keys and values can be compressed and dropped before the next layer runs, so each is handed over as a
 * trace. Nothing of size S×S is ever held.
 */
import { onceByName } from '../cache/once.js';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LayerTrace, Observation } from '../cache/types.js';
import type { Ops, Tensor } from '../engine/types.js';
import type { LayerWeights } from './layer-weights.js';
import { logitsOnHost } from './host-layer.js';
import { latentsOf } from './low-rank.js';
import { observe } from './observe.js';
import { causalAttention, type LayerHeads } from './prefill-attention.js';
import { tiledAttention } from './tiled-attention.js';
import { onEngine, rotate, type RopeTensors } from './rotate.js';
import type { Transformer } from './transformer.js';
import { Workspace } from './workspace.js';

/** Rows that go through a matmul at once: bounds the width-2F intermediate. */
const ROWS_PER_BLOCK = 1024;

export interface PrefillRequest {
  readonly ids: readonly number[];
  /** Tokens that the run may come to, the prompt included: what RoPE is chosen by where it depends on the length. */
  readonly reach?: number | undefined;
  /** Union of what the pipelines want measured. */
  readonly observations: readonly Observation[];
  /** Called once per layer, in order; the next layer waits for it. The trace's arrays may be kept or changed. */
  readonly onLayer: (trace: LayerTrace) => void | Promise<void>;
  /** Between layers; throws to stop. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the prompt with the full cache.
 *
 * @returns logits after the last token, `[V]`
 */
export async function prefill(model: Transformer, request: PrefillRequest): Promise<Float32Array> {
  const { ops, config } = model;
  const length = request.ids.length; // S
  const reach = reachOf(request);
  const { ropes, owned } = onEngine(ops, model.rotations.prompt(length, reach));
  let x = model.embed(request.ids); // [S, E]
  try {
    for (let layer = 0; layer < config.layers; layer++) {
      request.signal?.throwIfAborted();
      const last = layer === config.layers - 1;
      const weights = model.openLayer(layer);
      try {
        const { next, trace } = runLayer(model, weights, layer, x, ropes[layer], request, last);
        ops.dispose(x);
        x = next;
        await request.onLayer(trace);
      } finally {
        model.closeLayer(weights);
      }
      await nextTurn();
    }
    return lastLogits(model, ops.toHost(x));
  } finally {
    ops.dispose(x, ...owned);
  }
}

/** Of the last token's output `[E]`, as when decoding. */
function lastLogits({ crew, config, head }: Transformer, numbers: Float32Array): Float32Array {
  const { memory } = head;
  const site = { crew, config, space: new Workspace(memory) };
  try {
    const x = site.space.rows('last', 1, config.hidden);
    memory.floats(x.at, config.hidden).set(numbers);
    return memory.floats(logitsOnHost(site, head, x, 1).at, config.vocabulary).slice();
  } finally {
    site.space.free();
  }
}

/** One layer over all rows; of the last layer only the last row's output is needed. */
function runLayer(
  model: Transformer,
  weights: LayerWeights,
  layer: number,
  x: Tensor,
  rope: RopeTensors | undefined,
  request: PrefillRequest,
  last: boolean,
): { next: Tensor; trace: LayerTrace } {
  const { ops, config } = model;
  const { observations } = request;
  const length = x.shape[0];
  const rotation = model.rotations.of(layer, reachOf(request));
  let trace: LayerTrace | undefined;
  const next = ops.tidy(() => {
    const heads = splitHeads(model, layer, weights, x, rope);
    const { softCap, window } = heads;
    const summed = observations.some(({ kind }) => kind === 'attention_sums');
    const from = last && !summed ? length - 1 : 0;
    const { attended, sums } =
      model.engine.fastExp && from === 0 && !summed && softCap === undefined && window === undefined
        ? { attended: tiledAttention(ops, heads), sums: undefined }
        : causalAttention(ops, heads, from, summed); // [S − from, H·D]
    trace = {
      layer,
      layers: config.layers,
      heads: config.heads,
      kvHeads: config.kvHeads,
      headDim: config.headDim,
      length,
      softCap,
      window,
      allSlide: config.windows.every((w) => w !== undefined),
      keys: ops.toHost(heads.keys),
      values: ops.toHost(heads.values),
      once: onceByName(),
      rotation,
      observations: observe(
        ops,
        {
          heads,
          rope,
          output: weights.output,
          rotation,
          projectionBias: weights.qkvBias,
          attentionSums: sums,
          start: 0,
        },
        observations,
      ),
      lowRank:
        weights.lowRank === undefined
          ? undefined
          : latentsOf(ops, weights.lowRank, model.normInput(weights, x), rotation),
    };
    const width = config.heads * config.headDim;
    const finish = (start: number, rows: number): Tensor =>
      model.finish(
        weights,
        ops.slice(x, [start, 0], [rows, config.hidden]),
        ops.slice(attended, [start - from, 0], [rows, width]),
      );
    return last ? finish(length - 1, 1) : inRowBlocks(ops, length, finish);
  });
  return { next, trace: trace! };
}

/** Queries, keys (rotated) and values of all rows, heads first. */
export function splitHeads(
  model: Transformer,
  layer: number,
  weights: LayerWeights,
  x: Tensor,
  rope: RopeTensors | undefined,
): LayerHeads {
  const { ops, config } = model;
  const { heads: H, kvHeads: KV, headDim: D } = config;
  const S = x.shape[0];
  return ops.tidy(() => {
    const joined = inRowBlocks(ops, S, (start, rows) =>
      model.project(weights, ops.slice(x, [start, 0], [rows, config.hidden])),
    ); // [S, (H + 2KV)·D]
    const byHead = ops.transpose(ops.reshape(joined, [S, H + 2 * KV, D]), [1, 0, 2]); // [H + 2KV, S, D]
    const part = (from: number, count: number): Tensor => ops.slice(byHead, [from, 0, 0], [count, S, D]);
    return {
      queries: rotate(ops, model.normHeads(part(0, H), weights.queryNorm), rope), // [H, S, D]
      keys: rotate(ops, model.normHeads(part(H, KV), weights.keyNorm), rope), // [KV, S, D]
      values: part(H + KV, KV), // [KV, S, D]
      softCap: config.attentionSoftCap,
      window: config.windows[layer],
    };
  });
}

function reachOf({ ids, reach }: PrefillRequest): number {
  return Math.max(ids.length, reach ?? 0);
}

function inRowBlocks(ops: Ops, rows: number, run: (start: number, count: number) => Tensor): Tensor {
  const blocks: Tensor[] = [];
  for (let start = 0; start < rows; start += ROWS_PER_BLOCK) {
    const count = Math.min(ROWS_PER_BLOCK, rows - start);
    blocks.push(ops.tidy(() => run(start, count)));
  }
  return blocks.length === 1 ? blocks[0]! : ops.concat(blocks, 0);
}
