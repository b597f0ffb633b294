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

/** Calls `use` with the model on the requested weights, which are gone when it returns. */
export async function withVariant<T>(
  model: Transformer,
  request: WeightsRequest | undefined,
  { files, progress, signal }: VariantContext,
  use: (model: Transformer) => Promise<T>,
): Promise<T> {
  if (request === undefined) return use(model);
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
  try {
    return await use(variant);
  } finally {
    variant.dispose();
  }
}
