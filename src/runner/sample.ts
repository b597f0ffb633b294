/**
 * One sample under many pipelines: prefill once, compress for each pipeline, decode all together.
 *
 * Decides when caches are made and freed. Knows neither how a method plans nor how a cache packs.
 */
import { encodeLayer } from '../cache/layer-cache.js';
import type { CacheDtype, LayerCache, LayerTrace } from '../cache/types.js';
import type { Kernels } from '../kernels/index.js';
import { observationsOf, planLayer } from '../methods/pipeline.js';
import type { Pipeline } from '../methods/types.js';
import { generate } from '../model/decode.js';
import { prefill } from '../model/prefill.js';
import type { Transformer } from '../model/transformer.js';
import type { Segments } from './prompt.js';

export interface SampleRun {
  readonly model: Transformer;
  readonly kernels: Kernels;
  readonly pipelines: readonly Pipeline[];
  readonly segments: Segments;
  readonly cacheDtype: CacheDtype;
  readonly maxNewTokens: number;
  readonly signal?: AbortSignal | undefined;
  /** Named phases for progress. */
  readonly onPhase?: ((phase: 'prefill' | 'decode', done: number, total: number) => void) | undefined;
}

export interface PipelineOutcome {
  readonly ids: readonly number[];
  /** One per layer, as they were when decoding ended; freed before this is returned. */
  readonly kept: readonly (readonly number[])[];
  readonly bytes: CacheBytes;
  readonly compressSeconds: number;
}

export interface SampleOutcome {
  readonly pipelines: readonly PipelineOutcome[];
  readonly prefillSeconds: number;
  /** Of the whole batch: suffix and generation of all rows together. */
  readonly decodeSeconds: number;
}
