/**
 * The base of token methods: from scores to the positions that stay.
 *
 * Budget arithmetic and top-k are written once; a method gives scores and what is always kept. Each KV head keeps its
 * own positions, ascending, chosen only among those that the plan still holds.
 */
import * as z from 'zod';
import type { LayerPlan, LayerTrace, Observation } from '../../cache/types.js';
import { UserError } from '../../base/errors.js';
import { notFinite } from '../../base/not-finite.js';
import { expectDense } from '../plan.js';
import { indicesOfLargest } from '../select.js';
import type { TokenMethod } from '../types.js';

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

const NOTHING_KEPT = { tokens: 0, of: 'nothing always stays' };

/** Schema check: exactly one of `budget` and `ratio`, and a budget of at least what is always kept. */
export function checkBudget<P extends BudgetParams>(
  alwaysKept: (params: P) => { readonly tokens: number; readonly of: string } = () => NOTHING_KEPT,
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

/** What a token method that ranks by a score says; `tokenMethod` adds the rest. */
export interface TokenScorer<P extends BudgetParams> {
  readonly name: string;
  readonly summary: string;
  readonly paper: string;
  readonly notes: readonly string[];
  readonly params: z.ZodType<P>;
  observes(params: P): readonly Observation[];
  /** `[KV, S]`, higher = keep; finite. */
  score(trace: LayerTrace, params: P): Float32Array;
  /** The first and last positions of the prompt that stay whatever their score; they count towards the budget. */
  alwaysKept(params: P): { readonly first: number; readonly last: number; readonly of: string };
  /** Layers that the parameters name. */
  layers?(params: P): readonly number[];
  /** Tokens that this layer keeps of `held`; undefined where that is the budget or ⌊held·(1 − ratio)⌋. */
  keep?(trace: LayerTrace, params: P, held: number): number | undefined;
}

/** A method made of a score; others may build on the score (AdaKV, CriticalKV). */
export interface ScoringMethod<P extends BudgetParams = BudgetParams> extends TokenMethod<P> {
  readonly scorer: TokenScorer<P>;
  plan(trace: LayerTrace, params: P, plan: LayerPlan): LayerPlan;
}

/** What a method of one's own may leave out: remarks, and positions that always stay. */
export type ScoreDefinition<P extends BudgetParams> = Omit<TokenScorer<P>, 'notes' | 'alwaysKept'> &
  Partial<Pick<TokenScorer<P>, 'notes' | 'alwaysKept'>>;

/**
 * Makes a method of a score: budget, ratio, what always stays, top-k and ties are done here.
 *
 * @param definition `score` gives `[KV, S]`, higher = keep
 */
export function tokenMethod<P extends BudgetParams>(definition: ScoreDefinition<P>): ScoringMethod<P> {
  const spec: TokenScorer<P> = {
    notes: [],
    alwaysKept: () => ({ first: 0, last: 0, of: NOTHING_KEPT.of }),
    ...definition,
  };
  return {
    name: spec.name,
    axis: 'token',
    summary: spec.summary,
    paper: spec.paper,
    stores: 'keys and values of the kept tokens, dense; their original positions are in the keys (RoPE)',
    notes: spec.notes,
    params: spec.params,
    sizedBy: ['budget', 'ratio'],
    scorer: spec,
    observes: (params) => spec.observes(params),
    layers: (params) => spec.layers?.(params) ?? [],
    asksForNothing: (trace, params, plan) =>
      keepsAll(params, plan) ||
      plan.tokens.every(({ length }) => (spec.keep?.(trace, params, length) ?? 0) >= length),
    plan: (trace, params, plan) => {
      expectEvictable(spec.name, plan);
      const tokens = rankHeads(spec, trace, params, plan).map((head) => {
        const kept = indicesOfLargest(safeFirst(head), head.keep);
        for (let i = 0; i < kept.length; i++) kept[i] = head.held[kept[i]!]!;
        return kept;
      });
      return { ...plan, tokens };
    },
  };
}

/** True where budget or ratio ask for nothing. */
export function keepsAll(params: BudgetParams, plan: LayerPlan): boolean {
  return (
    params.ratio === 0 ||
    (params.budget !== undefined && plan.tokens.every((held) => params.budget! >= held.length))
  );
}

/** Fails where an earlier step has done what belongs to the tokens that it saw. */
export function expectEvictable(method: string, { keys, values }: LayerPlan): void {
  expectDense(method, 'List token methods before channel methods.', { keys, values });
}

/** One KV head of a layer: what it holds, what that is worth, and how many of it stay. */
export interface RankedHead {
  /** Positions, ascending; n of them. */
  readonly held: Int32Array;
  /** Of each held position, `[n]`; those that always stay have one too, without a meaning. */
  readonly scores: Float32Array;
  /** 1 = always stays, `[n]`. */
  readonly safe: Uint8Array;
  /** Tokens that the budget leaves; n where all are safe. */
  readonly keep: number;
}

/** The scores `[n]`, with what always stays above all others. */
export function safeFirst({ scores, safe }: Pick<RankedHead, 'scores' | 'safe'>): Float32Array {
  const ranked = scores.slice();
  for (let i = 0; i < ranked.length; i++) if (safe[i] === 1) ranked[i] = Infinity;
  return ranked;
}

/** Every KV head of the plan under a score. Throws a UserError where too few tokens would stay, or scores are not finite. */
export function rankHeads<P extends BudgetParams>(
  spec: Pick<TokenScorer<P>, 'name' | 'score' | 'alwaysKept' | 'keep'>,
  trace: LayerTrace,
  params: P,
  plan: LayerPlan,
): RankedHead[] {
  const { of } = spec.alwaysKept(params);
  return scoreHeads(spec, trace, params, plan).map(({ held, scores, safe }) => {
    const safeCount = safe.reduce((count, one) => count + one, 0);
    const keep =
      safeCount === held.length
        ? held.length
        : (spec.keep?.(trace, params, held.length) ?? keepCount(held.length, params));
    if (keep !== held.length && keep < Math.max(1, safeCount)) {
      throw new UserError(
        `${spec.name} would keep ${keep} of ${held.length} tokens, fewer than the ${Math.max(1, safeCount)} that always stay (${of})`,
        { hint: 'Keep more tokens, or make what always stays smaller.' },
      );
    }
    return { held, scores, safe, keep };
  });
}

/** Every KV head of the plan, whatever may stay of it. Throws a UserError where scores are not finite. */
export function scoreHeads<P extends BudgetParams>(
  spec: Pick<TokenScorer<P>, 'name' | 'score' | 'alwaysKept'>,
  trace: LayerTrace,
  params: P,
  plan: Pick<LayerPlan, 'tokens'>,
): Omit<RankedHead, 'keep'>[] {
  const { first, last } = spec.alwaysKept(params);
  const all = spec.score(trace, params); // [KV, S]
  return plan.tokens.map((held, h) => {
    const scores = Float32Array.from(held, (position) => all[h * trace.length + position]!);
    const safe = Uint8Array.from(held, (t) => Number(t < first || t >= trace.length - last));
    const bad = indexOfBad(scores);
    if (bad !== -1) {
      throw notFinite(`${spec.name}: the score of token ${held[bad]!} in KV head ${h} is ${scores[bad]!}`);
    }
    return { held, scores, safe };
  });
}

/** Index of the first score that is not finite, −1 where there is none. */
function indexOfBad(scores: Float32Array): number {
  for (let i = 0; i < scores.length; i++) if (!Number.isFinite(scores[i])) return i;
  return -1;
}

/** Tokens to keep of `held`: the budget, or ⌊held·(1 − ratio)⌋; never more than there are. */
export function keepCount(held: number, params: BudgetParams): number {
  return params.budget === undefined
    ? Math.trunc(held * (1 - (params.ratio ?? 0)))
    : Math.min(params.budget, held);
}
