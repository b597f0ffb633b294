/**
 * The base of methods that build on another method's score (AdaKV, CriticalKV).
 *
 * A spec names the base (`base: snapkv, with: { window: 32 }`), and its schema, observations and always-kept positions
 * hold.
 */
import * as z from 'zod';
import type { LayerPlan, LayerTrace, Observation } from '../../cache/types.js';
import { indicesOfLargest } from '../select.js';
import { scorers } from './scorers.js';
import {
  budgetFields,
  expectEvictable,
  keepsAll,
  rankHeads,
  safeFirst,
  type BudgetParams,
  type RankedHead,
  type ScoringMethod,
} from '../token/token-method.js';
import type { NestedParams, TokenMethod } from '../types.js';

/** A base and its own parameters. */
export interface ScoredBy {
  readonly base: string;
  readonly with: Readonly<Record<string, unknown>>;
}

export type BaseParams = ScoredBy & BudgetParams;

/** The fields that say what scores the tokens. */
export const scorerFields = (names: readonly string[] = [...scorers.keys()]) => ({
  base: z.enum(names).describe('method that scores the tokens'),
  with: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("the base's own parameters, all but budget and ratio (spark-eval show BASE)"),
});

/** The same, and how many stay. */
export const baseFields = { ...scorerFields(), ...budgetFields };

/** Schema check: the base takes the parameters. Its objections to a budget or ratio stand there, all others under `with`. */
export function checkBase<P extends BaseParams>(context: z.core.ParsePayload<P>): void {
  checkBaseUnder(context, context.value);
}

/** The same, under a budget or ratio from elsewhere. */
export function checkBaseUnder(context: z.core.ParsePayload<ScoredBy>, params: BaseParams): void {
  const base = scorerOf(params);
  const fail = (issue: z.core.$ZodIssue, path: PropertyKey[]) => {
    context.issues.push({ ...issue, path, input: params } as z.core.$ZodRawIssue);
  };
  const own = ownParams.get(params.base)!.safeParse(params.with);
  own.error?.issues.forEach((issue) => {
    fail(issue, ['with', ...issue.path]);
  });
  if (!own.success) return;
  const whole = base.params.safeParse(asBase(params));
  whole.error?.issues.forEach((issue) => {
    const [field] = issue.path;
    const isShared = field === undefined || field in budgetFields;
    fail(issue, isShared ? issue.path : ['with', ...issue.path]);
  });
  if (whole.success && base.evictsWhileDecoding?.(whole.data) === true) {
    const message = `expected parameters under which ${base.name} evicts at prefill only`;
    context.issues.push({ code: 'custom', path: ['with'], input: params, message });
  }
}

/** What a method of a base decides beyond it. */
export interface BaseMethod<P extends ScoredBy> {
  readonly name: string;
  readonly summary: string;
  readonly paper: string;
  readonly notes: readonly string[];
  readonly params: z.ZodType<P>;
  /** Beside what the base observes. */
  readonly observes: readonly Observation[];
  /** What is stored; without it, kept tokens, dense. */
  readonly stores?: string;
  readonly sizedBy?: readonly string[];
  /** The base's budget in a layer; without it, `budget` and `ratio` of the parameters. */
  readonly budget?: (params: P, layer: number) => BudgetParams;
  readonly layers?: (params: P) => readonly number[];
  readonly rewrites?: TokenMethod<P>['rewrites'];
  /** Per KV head: indices into `held` of the tokens that stay, ascending. Without it, the best. */
  readonly choose?: (heads: readonly RankedHead[], params: P, trace: LayerTrace) => readonly Int32Array[];
  /** What becomes of the layer when its tokens are chosen; without it, nothing more. */
  readonly refine?: (chosen: LayerPlan, trace: LayerTrace, params: P, before: LayerPlan) => LayerPlan;
}

/** Makes a method of a choice among the scored tokens of all KV heads of a layer. */
export function methodOfBase<P extends ScoredBy>(spec: BaseMethod<P>) {
  const under = (params: P, layer = 0): BaseParams => ({
    base: params.base,
    with: params.with,
    ...(spec.budget === undefined ? budgetOf(params) : spec.budget(params, layer)),
  });
  return {
    name: spec.name,
    axis: 'token',
    summary: spec.summary,
    paper: spec.paper,
    stores:
      spec.stores ?? 'keys and values of the kept tokens, dense; KV heads may keep different numbers of them',
    notes: spec.notes,
    params: spec.params,
    sizedBy: spec.sizedBy ?? ['budget', 'ratio'],
    nested,
    observes: (params) => [...baseOf(under(params)).observations, ...spec.observes],
    layers: (params) => {
      const { method, own } = baseOf(under(params));
      return [...(method.layers?.(own) ?? []), ...(spec.layers?.(params) ?? [])];
    },
    ...(spec.rewrites === undefined ? {} : { rewrites: spec.rewrites }),
    asksForNothing: ({ layer }, params, plan) => keepsAll(under(params, layer), plan),
    plan: (trace, params, plan) => {
      expectEvictable(spec.name, plan);
      const { method, own } = baseOf(under(params, trace.layer));
      const heads = rankHeads(method.scorer, trace, own, plan);
      if (heads.every(({ held, keep }) => keep === held.length)) return plan;
      const chosen = (spec.choose ?? bestOfEach)(heads, params, trace);
      const tokens = heads.map(({ held }, h) => chosen[h]!.map((i) => held[i]!));
      return spec.refine?.({ ...plan, tokens }, trace, params, plan) ?? { ...plan, tokens };
    },
  } satisfies TokenMethod<P>;
}

function budgetOf(params: ScoredBy & BudgetParams): BudgetParams {
  return { budget: params.budget, ratio: params.ratio };
}

/** Per KV head the tokens that the base itself keeps. */
export function bestOfEach(heads: readonly RankedHead[]): Int32Array[] {
  return heads.map((head) => indicesOfLargest(safeFirst(head), head.keep));
}

/** The base of a step, its parameters in its own form, and what it observes. */
export function baseOf(params: BaseParams): {
  readonly method: ScoringMethod;
  readonly own: BudgetParams;
  readonly observations: readonly Observation[];
} {
  const method = scorerOf(params);
  const own = method.scorer.params.parse(asBase(params));
  return { method, own, observations: method.observes(own) };
}

/** By base: its fields without budget and ratio, and without the checks across fields, which need those two. */
const ownParams: ReadonlyMap<string, z.ZodObject> = new Map(
  [...scorers].map(([name, { params }]): [string, z.ZodObject] => {
    if (!(params instanceof z.ZodObject)) throw new Error(`the parameters of ${name} are no object schema`);
    const fields = Object.entries(params.shape as z.core.$ZodShape).filter(([key]) => !(key in budgetFields));
    return [name, z.strictObject(Object.fromEntries(fields))];
  }),
);

export const nested: NestedParams = {
  key: 'with',
  schema: ({ base }) => (typeof base === 'string' ? ownParams.get(base) : undefined),
};

function scorerOf({ base }: BaseParams): ScoringMethod {
  const method = scorers.get(base);
  if (method === undefined) throw new Error(`${base} has no score`);
  return method;
}

/** The parameters as the base takes them. */
function asBase({ with: own, budget, ratio }: BaseParams): Record<string, unknown> {
  return { ...own, budget, ratio };
}
