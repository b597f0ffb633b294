/**
 * Weight sets on the engine: the model's own weights, or those that a method has changed.
 *
 * One set at a time stands beside the model's own, which is what fits into memory.
 */
import { calibrate, type CalibrationRun } from '../calibration/recalkv.js';
import type { WeightsRequest } from '../methods/types.js';
import type { Transformer } from '../model/transformer.js';
import type { ModelFiles } from '../checkpoint/types.js';
import type { Progress } from './progress.js';

export interface WeightSetContext extends Pick<CalibrationRun, 'knownScores'> {
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
  { files, knownScores, progress, signal }: WeightSetContext,
): Promise<OpenWeightSet> {
  if (request === undefined) return { model, close: () => undefined };
  const { factors, folder, kept } = await calibrate({
    model,
    files,
    request,
    knownScores,
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
