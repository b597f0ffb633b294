/**
 * ReCalKV's offline step over a whole model: layer after layer, on calibration sequences.
 *
 * Decides what each layer is factored on: the whitening sees the inputs of the model as it is, the value calibration
 * those behind the layers that run on their factors already. The mathematics is in `src/methods/recalkv`.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { factoriseLayer, type FactoriseParams } from '../methods/recalkv/layer.js';
import type { LayerRanks } from '../methods/recalkv/ranks.js';
import type { Rope } from '../model/rotate.js';
import { withLowRank, type LayerFactors, type LowRankFactors } from '../model/low-rank.js';
import type { LayerWeights, Transformer } from '../model/transformer.js';
import { embeddings, gramOf, ropeOf, throughLayer } from './forward.js';

export interface FactoriseRun {
  /** Ids of one length. */
  readonly sequences: readonly (readonly number[])[];
  /** Per layer. */
  readonly ranks: readonly LayerRanks[];
  readonly params: FactoriseParams;
  readonly onLayer?: ((done: number) => void) | undefined;
  /** Between layers; throws to stop. */
  readonly signal?: AbortSignal | undefined;
}

/** Factors of every layer. `model` is left as it is. */
export async function factoriseModel(model: Transformer, run: FactoriseRun): Promise<LowRankFactors> {
  const { ops, config } = model;
  const calibrates = run.params.iterations > 0;
  const rope = ropeOf(model, run.sequences[0]!.length);
  let inputs = embeddings(model, run.sequences);
  let inputsAfter = inputs;
  const layers: LayerFactors[] = [];
  try {
    for (const [index, weights] of model.layers.entries()) {
      run.signal?.throwIfAborted();
      const gram = gramOf(model, weights, inputs);
      const gramAfter = inputsAfter === inputs ? gram : gramOf(model, weights, inputsAfter);
      const statistics = { ...projectionsOf(model, weights), gram, gramAfter };
      const factors = factoriseLayer(statistics, run.ranks[index]!, run.params);
      layers.push(factors);
      if (index < config.layers - 1) {
        if (calibrates) inputsAfter = throughFactors(model, weights, factors, inputsAfter, rope);
        inputs = throughLayer(model, weights, inputs, rope);
        if (!calibrates) inputsAfter = inputs;
      }
      run.onLayer?.(index + 1);
      await nextTurn();
    }
  } finally {
    ops.dispose(rope.cos, rope.sin);
  }
  return { layers };
}

/** Every sequence through one layer on its factors. */
function throughFactors(
  model: Transformer,
  weights: LayerWeights,
  factors: LayerFactors,
  inputs: readonly Float32Array[],
  rope: Rope,
): Float32Array[] {
  const lowRank = withLowRank(model.ops, model.config, weights, factors);
  try {
    return throughLayer(model, lowRank, inputs, rope);
  } finally {
    model.ops.dispose(lowRank.qkv, lowRank.lowRank!.down);
  }
}

/** Key and value weights `[KV·D, E]` of a layer. */
function projectionsOf(
  { ops, config }: Transformer,
  { qkv }: LayerWeights,
): { kvHeads: number; headDim: number; keyWeight: Float32Array; valueWeight: Float32Array } {
  const { hidden: E, heads: H, kvHeads: KV, headDim: D } = config;
  const rows = (firstHead: number): Float32Array =>
    ops.tidy(() => ops.toHost(ops.transpose(ops.slice(qkv, [0, firstHead * D], [E, KV * D]), [1, 0])));
  return { kvHeads: KV, headDim: D, keyWeight: rows(H), valueWeight: rows(H + KV) };
}
