/**
 * Variants of a model: the weights that its pipelines run on, where a method changes them.
 *
 * Decides which pipelines share weights, and with them their prefills, and that one variant at a time is on the engine
 * beside the model's own weights. Knows nothing of what a method does with them.
 */
import { calibrate } from '../calibration/recalkv.js';
import type { WeightsRequest } from '../methods/types.js';
import type { Transformer } from '../model/transformer.js';
import type { ModelFiles } from '../checkpoint/types.js';
import type { Progress } from './progress.js';

export interface VariantContext {
  readonly files: ModelFiles;
  readonly progress: Pick<Progress, 'phase' | 'log'>;
  readonly signal?: AbortSignal | undefined;
}

/** A variant on the engine. */
export interface OpenVariant {
  readonly model: Transformer;
  /** Gives back what the variant does not share with the model. */
  close(): void;
}

/** The model on the requested weights. The model itself must outlive it. */
export async function openVariant(
  model: Transformer,
  request: WeightsRequest | undefined,
  { files, progress, signal }: VariantContext,
): Promise<OpenVariant> {
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
  const variant = model.withFactors(factors);
  return {
    model: variant,
    close: () => {
      variant.dispose();
    },
  };
}
