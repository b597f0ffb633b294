/**
 * Which weights a pipeline runs on.
 *
 * Decides by asking its steps; at most one of them wants its own (`composition.ts`). Knows no method by name.
 */
import { methods } from './registry.js';
import { canonicalJson } from '../base/canonical-json.js';
import type { Method, MethodStep, Pipeline, WeightsRequest } from './types.js';

/** Undefined where the pipeline runs on the model's own weights. */
export function weightsRequestOf(
  steps: readonly MethodStep[],
  registry: ReadonlyMap<string, Method> = methods,
): WeightsRequest | undefined {
  for (const { method, params } of steps) {
    const request = registry.get(method)?.weights?.(params);
    if (request !== undefined) return request;
  }
  return undefined;
}

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
