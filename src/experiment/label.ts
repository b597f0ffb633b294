/**
 * The name of a pipeline in tables: `snapkv(budget=256)+spark(ratio=0.8)`; that of a task: `needle/map(depth=25)`.
 *
 * Only parameters that differ from the defaults are shown; equal labels mean equal pipelines.
 */
import type * as z from 'zod';
import { ALL_LAYERS, LAYERS, type MethodStep, type NestedParams } from '../methods/types.js';
import { canonicalJson } from '../base/canonical-json.js';
import { inputSchema } from '../base/describe.js';

export const FULL = 'full';

/** What a label needs to know of a method or task. */
interface Labelled {
  readonly params: z.ZodType;
  readonly nested?: NestedParams;
}

/** The label of a list of steps; `full` for none. */
export function pipelineLabel(steps: readonly MethodStep[], methods: ReadonlyMap<string, Labelled>): string {
  if (steps.length === 0) return FULL;
  const fields = ({ method, params }: MethodStep): string[] => {
    const known = methods.get(method)!;
    const own = inputSchema(known.params).properties?.[LAYERS] !== undefined;
    const layers = params[LAYERS] === undefined || own ? [] : [`${LAYERS}=${ALL_LAYERS}`];
    return [...shown(params, known), ...layers];
  };
  return steps.map((step) => named(step.method, fields(step))).join('+');
}

/** The label of a task; its name alone where all parameters are as they are by default. */
export function taskLabel(
  task: string,
  params: MethodStep['params'],
  tasks: ReadonlyMap<string, Labelled>,
): string {
  return named(task, shown(params, tasks.get(task)!));
}

/** `key=value` of every parameter that differs from its default. */
function shown(params: MethodStep['params'], { params: schema, nested }: Labelled): string[] {
  return Object.entries(inputSchema(schema).properties ?? {}).flatMap(([key, property]) => {
    const value = params[key];
    if (value === undefined) return [];
    const inner = key === nested?.key ? nested.schema(params) : undefined;
    if (inner !== undefined) {
      const fields = shown(value as MethodStep['params'], { params: inner });
      return fields.length === 0 ? [] : [named(key, fields)];
    }
    const isDefault = canonicalJson(value) === canonicalJson(property.default ?? null);
    return isDefault ? [] : [`${key}=${valueLabel(value)}`];
  });
}

function named(name: string, fields: readonly string[]): string {
  return fields.length === 0 ? name : `${name}(${fields.join(',')})`;
}

function valueLabel(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
