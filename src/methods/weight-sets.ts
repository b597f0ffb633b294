/**
 * Which weights a pipeline runs on: the model's own, or changed ones.
 *
 * Pipelines on the same weight set share their prefills. At most one step wants its own (`composition.ts`).
 */
import { canonicalJson } from '../base/canonical-json.js';
import type { Method, MethodStep, Pipeline, WeightsRequest } from './types.js';

/** Undefined where the pipeline runs on the model's own weights. */
export function weightsRequestOf(
  steps: readonly MethodStep[],
  methods: ReadonlyMap<string, Method>,
): WeightsRequest | undefined {
  for (const { method, params } of steps) {
    const known = methods.get(method);
    if (known?.axis === 'rank') return known.weights(params);
  }
  return undefined;
}

/** The model's own weights, or changed ones, and who runs on them. */
export interface WeightSet {
  /** Undefined: the model's own weights. */
  readonly request: WeightsRequest | undefined;
  /** Indices into the spec's pipelines. */
  readonly pipelines: readonly number[];
}

/** The weight sets of a list of pipelines, in the order in which they first appear. */
export function weightSetsOf(
  pipelines: readonly Pipeline[],
  methods: ReadonlyMap<string, Method>,
): WeightSet[] {
  const weightSets = new Map<string, { request: WeightsRequest | undefined; pipelines: number[] }>();
  for (const [index, { steps }] of pipelines.entries()) {
    const request = weightsRequestOf(steps, methods);
    const key = canonicalJson(request ?? null);
    const weightSet = weightSets.get(key) ?? { request, pipelines: [] };
    weightSet.pipelines.push(index);
    weightSets.set(key, weightSet);
  }
  return [...weightSets.values()];
}
