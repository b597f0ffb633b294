/** Pipelines from method names and parameters, validated as the spec loader does. */
import { methods } from '../../src/methods/built-in.js';
import type { Pipeline } from '../../src/methods/types.js';

/** `pipelineOf(['snapkv', { budget: 60 }], ['spark', { ratio: 0.5 }])`; no steps is `full`. */
export function pipelineOf(...steps: readonly (readonly [string, Record<string, unknown>])[]): Pipeline {
  const parsed = steps.map(([method, params]) => ({
    method,
    params: methods.get(method)!.params.parse(params) as Record<string, unknown>,
  }));
  const label = steps
    .map(
      ([method, params]) =>
        `${method}(${Object.entries(params)
          .map(([k, v]) => `${k}=${String(v)}`)
          .join(',')})`,
    )
    .join('+');
  return { label: label === '' ? 'full' : label, steps: parsed };
}
