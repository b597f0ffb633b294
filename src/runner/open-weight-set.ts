/**
 * Variants of a model: the weights that its pipelines run on, where a method changes them.
 *
 * Decides which pipelines share weights, and with them their prefills, and that one weight set at a time is on the engine
 * beside the model's own weights. Knows nothing of what a method does with them.
 */
import { calibrate } from '../calibration/recalkv.js';
import type { WeightsRequest } from '../methods/types.js';
import type { Transformer } from '../model/transformer.js';
import type { ModelFiles } from '../checkpoint/types.js';
import type { Progress } from './progress.js';

export interface WeightSetContext {
  readonly files: ModelFiles;
  readonly progress: Pick<Progress, 'phase' | 'log'>;
  readonly signal?: AbortSignal | undefined;
}

/** A weight set on the engine. */
export interface OpenWeightSet {
  readonly model: Transformer;
  /** Gives back what the weight set does not share with the model. */
  close(): void;
}

/** The model on the requested weights. The model itself must outlive it. */
export async function openWeightSet(
  model: Transformer,
  request: WeightsRequest | undefined,
  { files, progress, signal }: WeightSetContext,
): Promise<OpenWeightSet> {
  if (request === undefined) return { model, close: () => undefined };
  const { factors, folder, kept } = await calibrate({
    model,
    files,
    request,
    onPhase: (phase) => {
      progress.phase(`calibrating ${files.name}: ${phase}`);
    },
    log: (line) => {
      progress.log(line);
    },
    signal,
  });
  if (!kept) progress.log(`${files.name} is calibrated for ${request.kind}; kept in ${folder}`);
  const weightSet = model.withFactors(factors);
  return {
    model: weightSet,
    close: () => {
      weightSet.dispose();
    },
  };
}
