/**
 * Which weights a pipeline runs on.
 *
 * Decides by asking its steps; at most one of them wants its own (`composition.ts`). Knows no method by name.
 */
import { methods } from './registry.js';
import type { Method, MethodStep, WeightsRequest } from './types.js';

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
