/**
 * Bytes that each pipeline will store of a prompt, before any model runs.
 *
 * Decides how they come about: a layer of random numbers in the model's shape is planned and really packed. Where first and
 * last layer come out the same, so do those between; where not, all are packed. Two layers of different numbers tell
 * whether the size depends on the data, and then the estimate is only that of the first.
 */
import { NO_BYTES, addBytes, fullBytes, paperBytes, sumBytes } from '../../cache/bytes.js';
import { encodeLayer } from '../../cache/layer-cache.js';
import type { ByteParts, CacheDtype, LayerTrace } from '../../cache/types.js';
import { UserError } from '../../errors.js';
import type { Kernels } from '../../kernels/index.js';
import { observationsOf, planLayer } from '../../methods/pipeline.js';
import type { Pipeline } from '../../methods/types.js';
import { weightsRequestOf } from '../../methods/weights.js';
import { randomTrace, type TraceShape } from './trace.js';

export interface PipelineBytes {
  readonly pipeline: string;
  /** Undefined where the pipeline stores latents, whose ranks only a calibration gives. */
  readonly estimate: BytesEstimate | undefined;
}

export interface BytesEstimate {
  /** Mean over layers and KV heads. */
  readonly keptTokens: number;
  readonly stored: ByteParts;
  readonly storedBytes: number;
  /** The paper's own accounting. */
  readonly paperBytes: number;
  readonly fullBytes: number;
  readonly dependsOnData: boolean;
}

interface LayerBytes {
  readonly kept: number;
  readonly stored: ByteParts;
  readonly paper: number;
}

/**
 * One entry per pipeline, of a prompt of `length` tokens.
 *
 * @throws UserError naming the pipeline, where it cannot compress such a prompt
 */
export function estimateBytes(
  shape: TraceShape,
  length: number,
  pipelines: readonly Pipeline[],
  dtype: CacheDtype,
  kernels: Kernels,
): PipelineBytes[] {
  const dry = pipelines.filter(({ steps }) => weightsRequestOf(steps) === undefined);
  const observations = observationsOf(dry);
  const trace = randomTrace(shape, length, observations, 0);
  const other = randomTrace(shape, length, observations, 1);
  const full = shape.layers * fullBytes({ kvHeads: shape.kvHeads, headDim: shape.headDim, length }, dtype);
  return pipelines.map((pipeline) => {
    if (!dry.includes(pipeline)) return { pipeline: pipeline.label, estimate: undefined };
    const pack = (from: LayerTrace, layer: number): LayerBytes =>
      packLayer({ ...from, layer }, pipeline, dtype, kernels);
    const first = pack(trace, 0);
    const end = pack(trace, shape.layers - 1);
    const last = same(first, end) ? first : end;
    const layers =
      last === first
        ? Array.from({ length: shape.layers }, () => first)
        : Array.from({ length: shape.layers }, (_, layer) => pack(trace, layer));
    const stored = times(layers.map((layer) => layer.stored).reduce(addBytes, NO_BYTES), shape.kvHeads);
    const estimate = {
      keptTokens: layers.reduce((sum, { kept }) => sum + kept, 0) / shape.layers,
      stored,
      storedBytes: sumBytes(stored),
      paperBytes: shape.kvHeads * layers.reduce((sum, { paper }) => sum + paper, 0),
      fullBytes: full,
      dependsOnData:
        !same(first, pack(other, 0)) || (last !== first && !same(last, pack(other, shape.layers - 1))),
    };
    return { pipeline: pipeline.label, estimate };
  });
}

function packLayer(trace: LayerTrace, pipeline: Pipeline, dtype: CacheDtype, kernels: Kernels): LayerBytes {
  try {
    const plan = planLayer(trace, pipeline.steps);
    const cache = encodeLayer(trace, plan, dtype, kernels);
    const packed = { kept: cache.kept[0]!, stored: cache.bytes(), paper: paperBytes(trace, plan, dtype) };
    cache.free();
    return packed;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message, {
      place: `${pipeline.label}, a prompt of ${trace.length} tokens`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

function same(a: LayerBytes, b: LayerBytes): boolean {
  return a.kept === b.kept && sumBytes(a.stored) === sumBytes(b.stored);
}

function times(parts: ByteParts, factor: number): ByteParts {
  const entries = Object.entries(parts) as [keyof ByteParts, number][];
  return Object.fromEntries(entries.map(([part, bytes]) => [part, factor * bytes])) as unknown as ByteParts;
}
