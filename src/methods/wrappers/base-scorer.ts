/**
 * The base of methods that build on another method's score (AdaKV, CriticalKV).
 *
 * A spec names the base (`base: snapkv, with: { window: 32 }`), and its schema, observations and always-kept positions
 * hold.
 */
import * as z from 'zod';
import type { LayerTrace, Observation } from '../../cache/types.js';
import { scorers } from './scorers.js';
import {
  budgetFields,
  expectEvictable,
  keepsAll,
  rankHeads,
  type BudgetParams,
  type RankedHead,
  type ScoringMethod,
} from '../token/token-method.js';
import type { NestedParams, TokenMethod } from '../types.js';

export interface BaseParams extends BudgetParams {
  readonly base: string;
  readonly with: Readonly<Record<string, unknown>>;
}

/** The fields that say what scores the tokens, and how many stay. */
export const baseFields = {
  base: z.enum([...scorers.keys()]).describe('method that scores the tokens'),
  with: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("the base's own parameters, all but budget and ratio (spark-eval show BASE)"),
  ...budgetFields,
};

/** Schema check: the base takes the parameters. Its objections to a budget or ratio stand there, all others under `with`. */
export function checkBase<P extends BaseParams>(context: z.core.ParsePayload<P>): void {
  const params = context.value;
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
export interface BaseMethod<P extends BaseParams> {
  readonly name: string;
  readonly summary: string;
  readonly paper: string;
  readonly notes: readonly string[];
  readonly params: z.ZodType<P>;
  /** Beside what the base observes. */
  readonly observes: readonly Observation[];
  /** Per KV head: indices into `held` of the tokens that stay, ascending. */
  readonly choose: (heads: readonly RankedHead[], params: P, trace: LayerTrace) => readonly Int32Array[];
}

/** Makes a method of a choice among the scored tokens of all KV heads of a layer. */
export function methodOfBase<P extends BaseParams>(spec: BaseMethod<P>) {
  return {
    name: spec.name,
    axis: 'token',
    summary: spec.summary,
    paper: spec.paper,
    stores: 'keys and values of the kept tokens, dense; KV heads may keep different numbers of them',
    notes: spec.notes,
    params: spec.params,
    sizedBy: ['budget', 'ratio'],
    nested,
    observes: (params) => {
      const base = scorerOf(params);
      return [...base.observes(base.params.parse(asBase(params))), ...spec.observes];
    },
    layers: (params) => {
      const base = scorerOf(params);
      return base.layers?.(base.params.parse(asBase(params))) ?? [];
    },
    asksForNothing: (_trace, params, plan) => keepsAll(params, plan),
    plan: (trace, params, plan) => {
      expectEvictable(spec.name, plan);
      const { scorer } = scorerOf(params);
      const heads = rankHeads(scorer, trace, scorer.params.parse(asBase(params)), plan);
      if (heads.every(({ held, keep }) => keep === held.length)) return plan;
      const chosen = spec.choose(heads, params, trace);
      return { ...plan, tokens: heads.map(({ held }, h) => chosen[h]!.map((i) => held[i]!)) };
    },
  } satisfies TokenMethod<P>;
}

/** By base: its fields without budget and ratio, and without the checks across fields, which need those two. */
const ownParams: ReadonlyMap<string, z.ZodObject> = new Map(
  [...scorers].map(([name, { params }]): [string, z.ZodObject] => {
    if (!(params instanceof z.ZodObject)) throw new Error(`the parameters of ${name} are no object schema`);
    const fields = Object.entries(params.shape as z.core.$ZodShape).filter(([key]) => !(key in budgetFields));
    return [name, z.strictObject(Object.fromEntries(fields))];
  }),
);

const nested: NestedParams = {
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
