/**
 * Fisher scores: how much the loss of the model depends on each key and value head (ReCalKV section 3.1, as Palu).
 *
 * The backward pass goes layer by layer from stored inputs, so that no more than one layer's intermediates are held.
 * Alphabet: T tokens, E model width, V vocabulary, H query heads, KV heads, D head width.
 */
import type { Tensor } from '../engine/types.js';
import type { FisherScores } from '../methods/rank/recalkv/ranks.js';
import type { Transformer } from '../model/transformer.js';
import { betweenSequences, layerOutput, ropesOf, type SequenceRopes } from './forward.js';

export interface FisherRun {
  /** Told how many sequences are done. */
  readonly onSequence?: ((done: number) => void) | undefined;
  /** Stops between sequences: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Rows whose logits are held at once. */
const LOGIT_ROWS = 128;

/**
 * Per layer and KV head the mean, over the head's weights, of √(mean over the sequences of the squared gradient of the
 * next-token loss, itself the mean over the T − 1 predictions).
 *
 * @param sequences of one length T ≥ 2
 */
export async function fisherScores(
  model: Transformer,
  sequences: readonly (readonly number[])[],
  { onSequence, signal }: FisherRun = {},
): Promise<FisherScores[]> {
  const { ops, config } = model;
  const { layers, hidden, kvHeads, headDim } = config;
  const squares = Array.from({ length: layers }, () => new Float32Array(hidden * 2 * kvHeads * headDim)); // [E, 2·KV·D]
  const ropes = ropesOf(model, sequences[0]!.length);
  try {
    for (const [done, ids] of sequences.entries()) {
      addSquares(model, ids, ropes, squares);
      onSequence?.(done + 1);
      await betweenSequences(signal);
    }
  } finally {
    ops.dispose(...ropes.owned);
  }
  return squares.map((ofLayer) => {
    const heads = headMeans(ofLayer, 2 * kvHeads, headDim, sequences.length);
    return { keys: heads.slice(0, kvHeads), values: heads.slice(kvHeads) };
  });
}

/** Adds the squared gradients of one sequence. */
function addSquares(
  model: Transformer,
  ids: readonly number[],
  { ropes }: SequenceRopes,
  squares: readonly Float32Array[],
): void {
  const { ops, config } = model;
  const { heads: H, kvHeads: KV, headDim: D, hidden: E } = config;
  ops.tidy(() => {
    const inputs = [model.embed(ids)]; // [T, E] of each layer
    for (let layer = 0; layer < config.layers; layer++) {
      inputs.push(
        ops.tidy(() =>
          layerOutput(model, model.openLayer(layer), inputs[layer]!, { layer, rope: ropes[layer] }),
        ),
      );
    }
    let dy = lossGradient(model, inputs.pop()!, ids); // [T, E]
    for (let layer = config.layers - 1; layer >= 0; layer--) {
      const [dx, dkv] = ops.tidy(() => {
        const weights = model.openLayer(layer);
        const [dInput, dqkv] = ops.gradients(
          (x, qkv) => layerOutput(model, { ...weights, qkv: qkv }, x, { layer, rope: ropes[layer] }),
          [inputs[layer]!, weights.qkv],
          dy,
        );
        return [dInput!, ops.slice(dqkv!, [0, H * D], [E, 2 * KV * D])];
      });
      ops.dispose(dy);
      dy = dx!;
      const gradient = ops.toHost(dkv);
      const sums = squares[layer]!;
      for (let i = 0; i < sums.length; i++) sums[i]! += gradient[i]! ** 2;
      ops.dispose(dkv);
    }
  });
}

/** Gradient of the mean next-token loss by the last layer's output, `[T, E]`. */
function lossGradient(model: Transformer, x: Tensor, ids: readonly number[]): Tensor {
  const { ops, config } = model;
  const { hidden: E, vocabulary: V } = config;
  const T = ids.length;
  const { logits, owned } = model.openHead();
  const blocks: Tensor[] = [];
  for (let start = 0; start < T; start += LOGIT_ROWS) {
    const rows = Math.min(LOGIT_ROWS, T - start);
    const block = ops.tidy(() => {
      const part = ops.slice(x, [start, 0], [rows, E]);
      const dLogits = ops.toHost(ops.softmax(logits(part))); // [rows, V]
      for (let t = 0; t < rows; t++) {
        const next = ids[start + t + 1];
        const row = dLogits.subarray(t * V, (t + 1) * V);
        if (next === undefined) row.fill(0);
        else row[next]! -= 1;
      }
      const scaled = ops.scale(ops.fromHost(dLogits, [rows, V]), 1 / (T - 1));
      return ops.gradients((rowsOfX) => logits(rowsOfX), [part], scaled)[0]!;
    });
    blocks.push(block);
  }
  ops.dispose(...owned);
  return ops.concat(blocks, 0);
}

/** Mean over each head's entries of the root of the mean square; `[E, heads·D]` → `[heads]`. */
function headMeans(squares: Float32Array, heads: number, D: number, sequences: number): number[] {
  const sums = Array<number>(heads).fill(0);
  for (let i = 0; i < squares.length; i++) {
    sums[Math.floor((i % (heads * D)) / D)]! += Math.sqrt(squares[i]! / sequences);
  }
  return sums.map((sum) => sum / (squares.length / heads));
}
