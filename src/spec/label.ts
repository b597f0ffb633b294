/**
 * The name of a pipeline in tables: `snapkv(budget=256)+spark(ratio=0.8)`.
 *
 * Decides what a label shows: the parameters that differ from the method's defaults, in the order of its schema,
 * numbers as JSON. Equal labels mean equal pipelines.
 */
import type { z } from 'zod';
import type { MethodStep } from '../methods/types.js';
import { canonicalJson } from '../results/canonical-json.js';
import { inputSchema } from './describe.js';

export const FULL = 'full';

/** The label of a list of steps; `full` for none. */
export function pipelineLabel(
  steps: readonly MethodStep[],
  methods: ReadonlyMap<string, { readonly params: z.ZodType }>,
): string {
  if (steps.length === 0) return FULL;
  return steps.map((step) => stepLabel(step, methods.get(step.method)!.params)).join('+');
}

function stepLabel(step: MethodStep, schema: z.ZodType): string {
  const properties = inputSchema(schema).properties ?? {};
  const shown = Object.entries(properties)
    .filter(([key]) => step.params[key] !== undefined)
    .filter(([key, property]) => canonicalJson(step.params[key]) !== canonicalJson(property.default ?? null))
    .map(([key]) => `${key}=${valueLabel(step.params[key])}`);
  return shown.length === 0 ? step.method : `${step.method}(${shown.join(',')})`;
}

function valueLabel(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
