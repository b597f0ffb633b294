/**
 * Bytes that a pipeline stores of a prompt of one length, before any model runs.
 *
 * A layer of random numbers in the model's shape is planned and really packed; where tokens go while decoding, an answer
 * is decoded, too.
 */
import { NO_BYTES, addBytes, fullCacheBytes, paperBytes, sumBytes } from '../cache/bytes.js';
import { encodeLayer } from '../cache/layer-cache.js';
import type { ByteParts, CacheDtype, LayerCache, LayerTrace, Observation } from '../cache/types.js';
import { UserError } from '../base/errors.js';
import type { Kernels } from '../kernels/index.js';
import { LayerPlans } from '../methods/layer-plans.js';
import type { Method, Pipeline } from '../methods/types.js';
import { randomTrace, type TraceShape } from './trace.js';

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

/** What pipelines are packed with. */
export interface Packing {
  readonly shape: TraceShape;
  /** All that the pipelines want measured. */
  readonly observations: readonly Observation[];
  /** Those that the pipelines name, at least. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly dtype: CacheDtype;
  readonly kernels: Kernels;
}

/** Tokens that are decoded: enough for a cache that has a budget to have filled it. */
const ANSWER = 128;

interface DrawnLayer {
  readonly trace: LayerTrace;
  readonly plans: LayerPlans;
}

interface LayerBytes {
  readonly kept: number;
  readonly stored: ByteParts;
  readonly paper: number;
}

/**
 * A function that packs prompts of this length.
 *
 * @throws UserError, from the function, naming a pipeline that cannot compress such a prompt
 */
export function packerOf(
  { shape, observations, methods, dtype, kernels }: Packing,
  length: number,
): (pipeline: Pipeline) => Promise<BytesEstimate> {
  const drawn = [0, 1].map((draw) => randomTrace(shape, length, observations, draw));
  const layers = new Map<string, DrawnLayer>();
  const allSlide = shape.windows.every((window) => window !== undefined);
  const alike = layersByWindow(shape.windows);
  /** The same object for all pipelines, so that what they have in common is computed once. */
  const layerOf = (draw: number, layer: number): DrawnLayer => {
    const name = `${draw} ${layer}`;
    const window = shape.windows[layer];
    const trace = { ...drawn[draw]!, layer, window, allSlide };
    const known = layers.get(name) ?? { trace, plans: new LayerPlans(trace, methods) };
    layers.set(name, known);
    return known;
  };
  const full = fullCacheBytes(
    { kvHeads: shape.kvHeads, headDim: shape.headDim, length },
    shape.windows,
    dtype,
  );
  return async (pipeline) => {
    const parts: PackedLayers[] = [];
    for (const indices of alike) {
      const pack = (draw: number, index: number): Promise<LayerBytes> =>
        packLayer(layerOf(draw, indices[index]!), pipeline, dtype, kernels);
      parts.push(await packLayers(indices.length, pack));
    }
    const packed = parts.flatMap((part) => part.packed);
    const dependsOnData = parts.some((part) => part.dependsOnData);
    const stored = times(packed.map((layer) => layer.stored).reduce(addBytes, NO_BYTES), shape.kvHeads);
    return {
      keptTokens: packed.reduce((sum, { kept }) => sum + kept, 0) / shape.layers,
      stored,
      storedBytes: sumBytes(stored),
      paperBytes: shape.kvHeads * packed.reduce((sum, { paper }) => sum + paper, 0),
      fullBytes: full,
      dependsOnData,
    };
  };
}

/** Layers that hold alike when nothing acts on them: their indices, by window. */
function layersByWindow(windows: readonly (number | undefined)[]): number[][] {
  return [...new Set(windows)].map((window) =>
    windows.flatMap((other, layer) => (other === window ? [layer] : [])),
  );
}

interface PackedLayers {
  readonly packed: readonly LayerBytes[];
  readonly dependsOnData: boolean;
}

/** Every layer of the first draw, in as few packings as tell whether layer or data make a difference. */
async function packLayers(
  count: number,
  pack: (draw: number, layer: number) => Promise<LayerBytes>,
): Promise<PackedLayers> {
  const first = await pack(0, 0);
  const otherInBoth = await pack(1, count - 1);
  if (same(first, otherInBoth)) return { packed: repeat(first, count), dependsOnData: false };
  const last = await pack(0, count - 1);
  const dependsOnData = !same(last, otherInBoth) || !same(first, await pack(1, 0));
  if (same(first, last)) return { packed: repeat(first, count), dependsOnData };
  const packed: LayerBytes[] = [];
  for (let layer = 0; layer < count; layer++) packed.push(await pack(0, layer));
  return { packed, dependsOnData };
}

async function packLayer(
  { trace, plans }: DrawnLayer,
  pipeline: Pipeline,
  dtype: CacheDtype,
  kernels: Kernels,
): Promise<LayerBytes> {
  try {
    const plan = await plans.of(pipeline.steps);
    const cache = encodeLayer(trace, plan, dtype, kernels);
    if (plan.decode !== undefined) decodeAnswer(trace, cache);
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

/** Tokens join one by one, with keys and values of one that is there, and attend to all alike. */
function decodeAnswer({ keys, values, heads, kvHeads, headDim: D }: LayerTrace, cache: LayerCache): void {
  for (let step = 0; step < ANSWER; step++) {
    cache.append(keys.subarray(0, kvHeads * D), values.subarray(0, kvHeads * D), 1);
    cache.attend(new Float32Array(heads * D), 1, new Float32Array(heads * D));
  }
}

function same(a: LayerBytes, b: LayerBytes): boolean {
  return a.kept === b.kept && sumBytes(a.stored) === sumBytes(b.stored);
}

function repeat<T>(value: T, times: number): T[] {
  return Array.from({ length: times }, () => value);
}

function times(parts: ByteParts, factor: number): ByteParts {
  const entries = Object.entries(parts) as [keyof ByteParts, number][];
  return Object.fromEntries(entries.map(([part, bytes]) => [part, factor * bytes])) as unknown as ByteParts;
}
