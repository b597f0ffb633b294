/**
 * The base of token methods: from scores to the positions that stay.
 *
 * Decides the budget arithmetic and top-k, once for all of them; a method gives scores and what is always kept.
 * Each KV head keeps its own positions, ascending, chosen only among those that the plan still holds.
 * Knows nothing of how scores come about.
 */
import { z } from 'zod';
import type { LayerPlan, LayerTrace, Observation } from '../cache/types.js';
import { UserError } from '../errors.js';
import { expectDense } from './plan.js';
import { indicesOfLargest } from './select.js';
import type { Method } from './types.js';

export interface BudgetParams {
  readonly budget?: number | undefined;
  readonly ratio?: number | undefined;
}

/** How much stays: the two fields that every token method has, exactly one of which must be given. */
export const budgetFields = {
  budget: z
    .int()
    .min(1)
    .optional()
    .describe('tokens kept per KV head, always-kept ones included; at least 1; capped at the prompt length'),
  ratio: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe('fraction of the tokens evicted, in [0, 1); ⌊S·(1 − ratio)⌋ tokens stay per KV head'),
};

/** Schema check: exactly one of `budget` and `ratio`, and a budget of at least what is always kept. */
export function checkBudget<P extends BudgetParams>(
  alwaysKept: (params: P) => { readonly tokens: number; readonly of: string },
) {
  return (context: z.core.ParsePayload<P>): void => {
    const params = context.value;
    const fail = (path: string[], message: string) => {
      context.issues.push({ code: 'custom', input: params, path, message });
    };
    if ((params.budget === undefined) === (params.ratio === undefined)) {
      fail([], 'expected exactly one of budget (tokens kept) and ratio (fraction evicted)');
    }
    const { tokens, of } = alwaysKept(params);
    if (params.budget !== undefined && params.budget < tokens) {
      fail(['budget'], `expected at least ${tokens} (${of}), got ${params.budget}`);
    }
  };
}

export interface TokenMethod<P extends BudgetParams> {
  readonly name: string;
  readonly summary: string;
  readonly paper: string;
  readonly notes: readonly string[];
  readonly params: z.ZodType<P>;
  readonly observes: (params: P) => readonly Observation[];
  /** `[KV, S]`, higher = keep; finite. */
  readonly score: (trace: LayerTrace, params: P) => Float32Array;
  /** The first and last positions of the prompt that stay whatever their score; they count towards the budget. */
  readonly alwaysKept: (params: P) => { readonly first: number; readonly last: number; readonly of: string };
}

/** Makes a method of a score. */
export function tokenMethod<P extends BudgetParams>(spec: TokenMethod<P>): Method<P> {
  return {
    name: spec.name,
    axis: 'token',
    summary: spec.summary,
    paper: spec.paper,
    stores: 'keys and values of the kept tokens, dense; their original positions are in the keys (RoPE)',
    notes: spec.notes,
    params: spec.params,
    observes: spec.observes,
    asksForNothing: (_trace, params, plan) =>
      params.ratio === 0 ||
      (params.budget !== undefined && plan.tokens.every((held) => params.budget! >= held.length)),
    plan: (trace, params, plan) => {
      expectDense(spec.name, 'List token methods before channel methods.', {
        keys: plan.keys,
        values: plan.values,
      });
      return { ...plan, tokens: keepTokens(spec, trace, params, plan) };
    },
  };
}

function keepTokens<P extends BudgetParams>(
  spec: TokenMethod<P>,
  trace: LayerTrace,
  params: P,
  plan: LayerPlan,
): Int32Array[] {
  const { first, last, of } = spec.alwaysKept(params);
  const scores = spec.score(trace, params); // [KV, S]
  const isProtected = (position: number) => position < first || position >= trace.length - last;
  return plan.tokens.map((held, h) => {
    const keep = keepCount(held.length, params);
    const safe = held.reduce((count, position) => count + Number(isProtected(position)), 0);
    if (keep >= held.length || safe === held.length) return held;
    if (keep < Math.max(1, safe)) {
      throw new UserError(
        `${spec.name} would keep ${keep} of ${held.length} tokens, fewer than the ${Math.max(1, safe)} that always stay (${of})`,
        { hint: 'Keep more tokens, or make what always stays smaller.' },
      );
    }
    const ranked = Float32Array.from(held, (position) => {
      const score = scores[h * trace.length + position]!;
      if (!Number.isFinite(score)) {
        throw new UserError(`${spec.name}: the score of token ${position} in KV head ${h} is ${score}`, {
          hint: 'The model produced numbers that are not finite; are its weights whole?',
        });
      }
      return isProtected(position) ? Infinity : score;
    });
    return indicesOfLargest(ranked, keep).map((index) => held[index]!);
  });
}

/** Tokens to keep of `held`: the budget, or ⌊held·(1 − ratio)⌋; never more than there are. */
function keepCount(held: number, params: BudgetParams): number {
  return params.budget === undefined
    ? Math.trunc(held * (1 - (params.ratio ?? 0)))
    : Math.min(params.budget, held);
}
