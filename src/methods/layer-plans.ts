/**
 * The plans of one layer: the full plan, refined by the steps of each pipeline.
 *
 * Pipelines that begin alike share what their first steps made, and equal plans are one object, so that whatever is packed
 * for a plan is packed once.
 */
import { onceByName } from '../cache/once.js';
import { fullPlan, windowPlan } from '../cache/plan.js';
import type { LayerPlan, LayerTrace } from '../cache/types.js';
import { UserError } from '../base/errors.js';
import { prunesTheSame } from './plan.js';
import { actsOn, methodOf } from './pipeline.js';
import type { Method, MethodStep } from './types.js';

type Planned = LayerPlan | Promise<LayerPlan>;

export class LayerPlans {
  private readonly known: LayerPlan[] = [];
  private readonly once = onceByName();

  /** @param methods by name; those that the steps name */
  constructor(
    private readonly trace: LayerTrace,
    private readonly methods: ReadonlyMap<string, Method>,
  ) {}

  /**
   * The plan of a pipeline; a promise where one of its methods gives one.
   *
   * @throws UserError where a method is unknown, cannot refine the plan that it is given, or changed nothing although its
   * parameters asked for something: compression that silently was not applied looks like a perfect method
   */
  of(steps: readonly MethodStep[]): Planned {
    const acting = steps.filter((step) => actsOn(this.trace, step));
    const first = acting.length === 0 ? windowPlan : fullPlan;
    return acting.reduce<Planned>(
      (plan, step) => next(plan, (before) => this.refine(before, step)),
      this.once(first.name, () => this.oneOf(first(this.trace))),
    );
  }

  private refine(plan: LayerPlan, step: MethodStep): Planned {
    const name = `${this.known.indexOf(plan)} ${JSON.stringify(step)}`;
    return this.once(name, () =>
      next(refine(this.trace, step, plan, this.methods), (made) => this.oneOf(made)),
    );
  }

  /** The plan that is known already and equal to this one, which otherwise is known from now on. */
  private oneOf(plan: LayerPlan): LayerPlan {
    const same = this.known.find(
      ({ tokens, keys, values, decode, nextPosition }) =>
        nextPosition === plan.nextPosition &&
        keys === plan.keys &&
        values === plan.values &&
        decode === plan.decode &&
        tokens.every((held, h) => sameNumbers(held, plan.tokens[h]!)),
    );
    if (same === undefined) this.known.push(plan);
    return same ?? plan;
  }
}

function sameNumbers(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** What follows from a plan, at once where that is there. */
function next(plan: Planned, then: (plan: LayerPlan) => Planned): Planned {
  return plan instanceof Promise ? plan.then(then) : then(plan);
}

/** The plan, refined by one step. */
function refine(
  trace: LayerTrace,
  step: MethodStep,
  plan: LayerPlan,
  methods: ReadonlyMap<string, Method>,
): Planned {
  const method = methodOf(step, methods);
  return next(method.plan(trace, step.params, plan), (refined) => {
    if (!prunesTheSame(plan, refined) || method.asksForNothing(trace, step.params, plan)) return refined;
    throw new UserError(
      `${step.method} changed nothing in a cache of ${longest(plan)} tokens, although ${describe(step)} asks for compression`,
      { hint: 'These may be too few for the parameters; use a longer prompt or leave the step out.' },
    );
  });
}

/** Tokens of the KV head that holds the most. */
function longest({ tokens }: LayerPlan): number {
  return Math.max(...tokens.map(({ length }) => length));
}

function describe(step: MethodStep): string {
  return Object.entries(step.params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
