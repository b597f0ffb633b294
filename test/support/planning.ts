/** Planning with the built-in methods, for tests of single layers. */
import type { LayerPlan, LayerTrace, Observation } from '../../src/cache/types.js';
import { methods } from '../../src/methods/built-in.js';
import { LayerPlans } from '../../src/methods/layer-plans.js';
import { observationsOf as wanted } from '../../src/methods/pipeline.js';
import type { MethodStep, Pipeline } from '../../src/methods/types.js';

export function planLayer(trace: LayerTrace, steps: readonly MethodStep[], registry = methods): LayerPlan {
  return atOnce(new LayerPlans(trace, registry).of(steps));
}

/** The plan of a method that gives no promise. */
export function atOnce(plan: LayerPlan | Promise<LayerPlan>): LayerPlan {
  if (plan instanceof Promise) throw new Error('expected a plan, got the promise of one');
  return plan;
}

export function observationsOf(pipelines: readonly Pipeline[], registry = methods): Observation[] {
  return wanted(pipelines, registry);
}
