/**
 * Variants of a model: the weights that its pipelines run on, where a method changes them.
 *
 * Decides which pipelines share weights, and with them their prefills, and that one variant at a time is on the engine
 * beside the model's own weights. Knows nothing of what a method does with them.
 */
import { calibrate } from '../calibration/recalkv.js';
import { weightsRequestOf } from '../methods/weights.js';
import type { Pipeline, WeightsRequest } from '../methods/types.js';
import type { Transformer } from '../model/transformer.js';
import type { ModelFiles } from '../model/types.js';
import { canonicalJson } from '../results/canonical-json.js';
import type { Progress } from './progress.js';

export interface Variant {
  /** Undefined: the model's own weights. */
  readonly request: WeightsRequest | undefined;
  /** Indices into the spec's pipelines. */
  readonly pipelines: readonly number[];
}

/** The variants of a list of pipelines, in the order in which they first appear. */
export function variantsOf(pipelines: readonly Pipeline[]): Variant[] {
  const variants = new Map<string, { request: WeightsRequest | undefined; pipelines: number[] }>();
  for (const [index, { steps }] of pipelines.entries()) {
    const request = weightsRequestOf(steps);
    const key = canonicalJson(request ?? null);
    const variant = variants.get(key) ?? { request, pipelines: [] };
    variant.pipelines.push(index);
    variants.set(key, variant);
  }
  return [...variants.values()];
}

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
