/**
 * What methods share that go on evicting while decoding.
 *
 * The same rule picks at the end of the prefill and at each step.
 */
import type { DecodePolicy, LayerPlan } from '../../cache/types.js';
import { UserError } from '../../base/errors.js';
import { notFinite } from '../../base/not-finite.js';
import { indicesOfLargest } from '../select.js';
import type { BudgetParams } from './token-method.js';

/**
 * Tokens that stay per KV head: the budget, however short the prompt, or ⌊n·(1 − ratio)⌋ of the n tokens that the
 * fullest KV head holds. Throws UserError where that is fewer than always stay.
 */
export function liveBudget(
  method: string,
  { budget, ratio }: BudgetParams,
  held: readonly Int32Array[],
  alwaysKept: { readonly tokens: number; readonly of: string },
): number {
  const most = Math.max(...held.map(({ length }) => length));
  const keep = budget ?? Math.trunc(most * (1 - ratio!));
  if (keep < Math.max(1, alwaysKept.tokens)) {
    throw new UserError(
      `${method} would keep ${keep} of ${most} tokens, fewer than the ${alwaysKept.tokens} that always stay (${alwaysKept.of})`,
      { hint: 'Keep more tokens, or make what always stays smaller.' },
    );
  }
  return keep;
}

/** The plan with eviction from the end of the prefill on: `start` makes the policy for given prompt positions. */
export function evictFromPrefillEnd(
  plan: LayerPlan,
  budget: number,
  start: DecodePolicy['start'],
): LayerPlan {
  const going = start(plan.tokens).evict();
  const tokens = plan.tokens.map((held, head) => {
    const gone = new Set(going[head]);
    return held.filter((_, i) => !gone.has(i));
  });
  return { ...plan, tokens, decode: { budget, evicts: 'after_attention', start } };
}

/** The plan with eviction from the first decode step on; until then all that the plan holds stays. */
export function evictFromFirstDecode(
  plan: LayerPlan,
  budget: number,
  start: DecodePolicy['start'],
): LayerPlan {
  return { ...plan, decode: { budget, evicts: 'before_attention', start } };
}

/**
 * Of n held tokens, those that go so that `budget` stay: the newest `recent` stay, and of the older ones those with
 * the largest scores; ascending indices. Throws UserError where a score is not finite.
 *
 * @param scores of the `n − recent` older tokens, asked for only where some go
 */
export function surplus(
  held: number,
  { budget, recent }: { readonly budget: number; readonly recent: number },
  scores: (older: number) => Float32Array,
): number[] {
  if (held <= budget) return [];
  const older = held - recent;
  const ranked = scores(older); // [n − recent]
  if (!ranked.every(Number.isFinite)) throw notFinite('the attention to cached tokens is not finite');
  const staying = new Set(indicesOfLargest(ranked, budget - recent));
  return Array.from({ length: older }, (_, i) => i).filter((i) => !staying.has(i));
}
