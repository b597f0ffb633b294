/**
 * Pipelines: what they need measured, and their plan for one layer.
 *
 * Decides that steps refine the full plan in the order of the spec, and that a step which changed nothing, though
 * its parameters asked for something, is an error: compression that silently was not applied looks like a perfect
 * method. Knows no method by name.
 */
import { fullPlan } from '../cache/plan.js';
import { observationKey, type LayerPlan, type LayerTrace, type Observation } from '../cache/types.js';
import { UserError } from '../errors.js';
import { oncePerLayer } from './once-per-layer.js';
import { prunesTheSame } from './plan.js';
import { methods } from './registry.js';
import type { Method, MethodStep, Pipeline } from './types.js';

/** Everything that the pipelines want measured during their one prefill, without duplicates. */
export function observationsOf(
  pipelines: readonly Pipeline[],
  registry: ReadonlyMap<string, Method> = methods,
): Observation[] {
  const wanted = new Map<string, Observation>();
  for (const step of pipelines.flatMap((pipeline) => pipeline.steps)) {
    for (const observation of methodOf(step, registry).observes(step.params)) {
      wanted.set(observationKey(observation), observation);
    }
  }
  return [...wanted.values()];
}

/**
 * The plan of one layer: the full plan, refined by each step in turn.
 *
 * Throws a UserError where a method is unknown, cannot refine the plan that it is given, or changed nothing
 * although its parameters asked for something.
 */
export function planLayer(
  trace: LayerTrace,
  steps: readonly MethodStep[],
  registry: ReadonlyMap<string, Method> = methods,
): LayerPlan {
  if (registry !== methods) return stepByStep(trace, steps, registry);
  return oncePerLayer(trace, `plan ${JSON.stringify(steps)}`, () => stepByStep(trace, steps, registry));
}

/** The last step refines what the steps before it planned, which other pipelines may begin with too. */
function stepByStep(
  trace: LayerTrace,
  steps: readonly MethodStep[],
  registry: ReadonlyMap<string, Method>,
): LayerPlan {
  const step = steps.at(-1);
  if (step === undefined) return fullPlan(trace);
  const plan = planLayer(trace, steps.slice(0, -1), registry);
  const method = methodOf(step, registry);
  const refined = method.plan(trace, step.params, plan);
  if (prunesTheSame(plan, refined) && !method.asksForNothing(trace, step.params, plan)) {
    throw new UserError(
      `${step.method} changed nothing in a cache of ${longest(plan)} tokens, although ${describe(step)} asks for compression`,
      { hint: 'These may be too few for the parameters; use a longer prompt or leave the step out.' },
    );
  }
  return refined;
}

/** Tokens of the KV head that holds the most. */
function longest({ tokens }: LayerPlan): number {
  return Math.max(...tokens.map(({ length }) => length));
}

function methodOf(step: MethodStep, registry: ReadonlyMap<string, Method>): Method {
  const method = registry.get(step.method);
  if (method === undefined) {
    throw new UserError(`unknown method "${step.method}"`, {
      hint: `Known methods: ${[...registry.keys()].join(', ')}.`,
      exitCode: 2,
    });
  }
  return method;
}

function describe(step: MethodStep): string {
  return Object.entries(step.params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
