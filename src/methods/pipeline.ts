/**
 * Pipelines: what they need measured, and their plan for one layer.
 *
 * Decides that steps refine the full plan in the order of the spec, and that a step which changed nothing, though
 * its parameters asked for something, is an error: compression that silently was not applied looks like a perfect
 * method. Knows no method by name.
 */
import { fullPlan, windowPlan } from '../cache/plan.js';
import { observationKey, type LayerPlan, type LayerTrace, type Observation } from '../cache/types.js';
import { UserError } from '../base/errors.js';
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
  const acting = steps.filter((step) => actsOn(trace, step));
  const first = acting.length === 0 ? windowPlan : fullPlan;
  if (registry !== methods) {
    return acting.reduce((plan, step) => refine(trace, step, plan, registry), first(trace));
  }
  const known = oncePerLayer(trace, 'plans', (): LayerPlan[] => []);
  const start = oncePerLayer(trace, first.name, () => knownPlan(known, first(trace)));
  return acting.reduce((plan, step) => {
    const name = `plan ${known.indexOf(plan)} ${JSON.stringify(step)}`;
    return oncePerLayer(trace, name, () => knownPlan(known, refine(trace, step, plan, registry)));
  }, start);
}

/**
 * Whether a step acts on a layer: on all but those that slide beside full ones, unless the step asks for `layers: all`. A
 * sliding layer holds its window and nothing else; budgets and ratios are of full layers.
 */
export function actsOn(
  { window, allSlide }: Pick<LayerTrace, 'window' | 'allSlide'>,
  { params }: MethodStep,
): boolean {
  return window === undefined || allSlide === true || params['layers'] === 'all';
}

/** The plan that is known already and equal to this one, which otherwise is known from now on: what refines it is shared. */
function knownPlan(known: LayerPlan[], plan: LayerPlan): LayerPlan {
  const same = known.find(
    ({ tokens, keys, values, decode }) =>
      keys === plan.keys &&
      values === plan.values &&
      decode === plan.decode &&
      tokens.every((held, h) => sameNumbers(held, plan.tokens[h]!)),
  );
  if (same === undefined) known.push(plan);
  return same ?? plan;
}

function sameNumbers(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The plan, refined by one step. */
function refine(
  trace: LayerTrace,
  step: MethodStep,
  plan: LayerPlan,
  registry: ReadonlyMap<string, Method>,
): LayerPlan {
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
