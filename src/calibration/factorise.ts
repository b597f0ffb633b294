/**
 * ReCalKV's offline step over a whole model: layer after layer, on calibration sequences.
 *
 * Whitening sees the inputs of the model as it is; value calibration those behind layers that run on their factors
 * already.
 */
import { factoriseLayer, type FactoriseParams } from '../methods/rank/recalkv/layer.js';
import type { LayerRanks } from '../methods/rank/recalkv/ranks.js';
import type { LayerWeights } from '../model/layer-weights.js';
import { withLowRank, type LayerFactors, type LowRankFactors } from '../model/low-rank.js';
import type { Transformer } from '../model/transformer.js';
import { embeddings, gramOf, ropesOf, throughLayer, type LayerPlace } from './forward.js';

export interface FactoriseRun {
  /** Token ids; all of one length. */
  readonly sequences: readonly (readonly number[])[];
  /** By layer. */
  readonly ranks: readonly LayerRanks[];
  readonly params: FactoriseParams;
  /** Told how many layers are done. */
  readonly onLayer?: ((done: number) => void) | undefined;
  /** Stops between sequences: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Factors of every layer. `model` is left as it is. */
export async function factoriseModel(model: Transformer, run: FactoriseRun): Promise<LowRankFactors> {
  const { ops, config } = model;
  const { signal } = run;
  const calibrates = run.params.iterations > 0;
  const { ropes, owned } = ropesOf(model, run.sequences[0]!.length);
  let inputs = embeddings(model, run.sequences);
  let inputsAfter = inputs;
  const layers: LayerFactors[] = [];
  try {
    for (let index = 0; index < config.layers; index++) {
      const weights = model.openLayer(index);
      try {
        const place = { layer: index, rope: ropes[index] };
        const gram = await gramOf(model, weights, inputs, signal);
        const gramAfter = inputsAfter === inputs ? gram : await gramOf(model, weights, inputsAfter, signal);
        const statistics = { ...projectionsOf(model, weights), gram, gramAfter };
        const factors = factoriseLayer(statistics, run.ranks[index]!, run.params);
        layers.push(factors);
        if (index < config.layers - 1) {
          if (calibrates)
            inputsAfter = await throughFactors(model, weights, factors, inputsAfter, place, signal);
          inputs = await throughLayer(model, weights, inputs, place, signal);
          if (!calibrates) inputsAfter = inputs;
        }
      } finally {
        model.closeLayer(weights);
      }
      run.onLayer?.(index + 1);
    }
  } finally {
    ops.dispose(...owned);
  }
  return { layers };
}

/** Every sequence through one layer on its factors. */
async function throughFactors(
  model: Transformer,
  weights: LayerWeights,
  factors: LayerFactors,
  inputs: readonly Float32Array[],
  place: LayerPlace,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  const lowRank = withLowRank(model.ops, model.config, weights, factors);
  try {
    return await throughLayer(model, lowRank, inputs, place, signal);
  } finally {
    model.ops.dispose(lowRank.qkv, lowRank.lowRank!.down);
  }
}

/** Key and value weights of a layer, `[KV·D, E]` each. */
function projectionsOf(
  { ops, config }: Transformer,
  { qkv }: LayerWeights,
): { kvHeads: number; headDim: number; keyWeight: Float32Array; valueWeight: Float32Array } {
  const { hidden: E, heads: H, kvHeads: KV, headDim: D } = config;
  const rows = (firstHead: number): Float32Array =>
    ops.tidy(() => ops.toHost(ops.transpose(ops.slice(qkv, [0, firstHead * D], [E, KV * D]), [1, 0])));
  return { kvHeads: KV, headDim: D, keyWeight: rows(H), valueWeight: rows(H + KV) };
}
