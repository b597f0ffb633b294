/**
 * What pipelines need of the methods that their steps name.
 *
 * All pipelines of a sample share one prefill, so what they want measured is gathered ahead of it.
 */
import { observationKey, type LayerTrace, type Observation } from '../cache/types.js';
import { UserError } from '../base/errors.js';
import { ALL_LAYERS, LAYERS } from './types.js';
import type { Method, MethodStep, Pipeline } from './types.js';

/** Everything that the pipelines want measured during their one prefill, without duplicates. */
export function observationsOf(
  pipelines: readonly Pipeline[],
  methods: ReadonlyMap<string, Method>,
): Observation[] {
  const wanted = new Map<string, Observation>();
  for (const step of pipelines.flatMap((pipeline) => pipeline.steps)) {
    for (const observation of methodOf(step, methods).observes(step.params)) {
      wanted.set(observationKey(observation), observation);
    }
  }
  return [...wanted.values()];
}

/**
 * Whether a step acts on a layer: on all but those that slide beside full ones, unless the step asks for `layers: all`. A
 * sliding layer holds its window and nothing else; budgets and ratios are of full layers.
 */
export function actsOn(
  { window, allSlide }: Pick<LayerTrace, 'window' | 'allSlide'>,
  { params }: MethodStep,
): boolean {
  return window === undefined || allSlide === true || params[LAYERS] === ALL_LAYERS;
}

/** The method of a step. Throws UserError (exit code 2) where there is none of its name. */
export function methodOf(step: MethodStep, methods: ReadonlyMap<string, Method>): Method {
  const method = methods.get(step.method);
  if (method === undefined) {
    throw new UserError(`unknown method "${step.method}"`, {
      hint: `Known methods: ${[...methods.keys()].join(', ')}.`,
      exitCode: 2,
    });
  }
  return method;
}
