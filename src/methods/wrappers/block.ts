/**
 * Block-wise prefill of another method (KeyDiff, arXiv 2504.15364): the cache never holds more than the budget and one
 * block.
 *
 * The first n tokens are taken; then, block after block, the n best of what is held and of the block stay.
 */
import * as z from 'zod';
import type { LayerTrace } from '../../cache/types.js';
import { tokensTrace } from '../part-trace.js';
import { indicesOfLargest } from '../select.js';
import {
  budgetFields,
  expectEvictable,
  keepCount,
  keepsAll,
  safeFirst,
  scoreHeads,
  type BudgetParams,
  type ScoringMethod,
} from '../token/token-method.js';
import { UserError } from '../../base/errors.js';
import type { TokenMethod } from '../types.js';
import { baseOf, checkBase, nested, scorerFields } from './base-scorer.js';

/** Those that look at keys and values only, and rank whatever tokens they are given. */
const BASES = ['keydiff', 'knorm', 'cur', 'lagkv'];

const params = z
  .strictObject({
    ...scorerFields(BASES),
    ...budgetFields,
    block: z.int().min(1).max(65_536).default(128).describe('tokens that come in at once, 1 to 65,536'),
  })
  .check(checkBase);

type BlockParams = z.infer<typeof params>;

export const block = {
  name: 'block',
  axis: 'token',
  summary: "takes the prompt in blocks and holds no more than another method's best tokens and one block",
  paper: 'arXiv 2504.15364',
  stores: 'keys and values of the kept tokens, dense',
  notes: [
    'As in kvpress: what a device with a hard memory limit is left with. The prefill itself attends to the whole prompt.',
    'Bases that look at keys and values only: the queries of a block are not measured.',
    'What the base always keeps is counted among the tokens that are held, oldest first.',
  ],
  params,
  sizedBy: ['budget', 'ratio'],
  nested,
  observes: () => [],
  layers: (params) => {
    const { method, own } = baseOf(params);
    return method.layers?.(own) ?? [];
  },
  asksForNothing: (_trace, params, plan) => keepsAll(params, plan),
  plan(trace, params, plan) {
    expectEvictable('block', plan);
    if (keepsAll(params, plan)) return plan;
    const { method, own } = baseOf(params);
    const budgets = plan.tokens.map(
      ({ length }) => method.scorer.keep?.(trace, own, length) ?? keepCount(length, params),
    );
    plan.tokens.forEach(({ length }, h) => {
      const { first, last, of } = method.scorer.alwaysKept(own);
      const least = Math.min(length, Math.max(1, first + last));
      if (budgets[h]! >= least) return;
      throw new UserError(
        `block would keep ${budgets[h]!} of ${length} tokens, fewer than the ${least} that always stay (${of})`,
        { hint: 'Keep more tokens, or make what always stays smaller.' },
      );
    });
    let kept: Int32Array[] = plan.tokens.map((held, h) => held.slice(0, budgets[h]));
    const longest = Math.max(...plan.tokens.map(({ length }, h) => length - budgets[h]!));
    for (let from = 0; from < longest; from += params.block) {
      const candidates = plan.tokens.map((held, h) => {
        const start = budgets[h]! + from;
        return Int32Array.from([...kept[h]!, ...held.subarray(start, start + params.block)]);
      });
      kept = bestAmong(trace, method, own, candidates, budgets);
    }
    return { ...plan, tokens: kept };
  },
} satisfies TokenMethod<BlockParams>;

/** Per KV head the `budgets[h]` best of its candidates, ascending. */
function bestAmong(
  trace: LayerTrace,
  { scorer }: ScoringMethod,
  own: BudgetParams,
  candidates: readonly Int32Array[],
  budgets: readonly number[],
): Int32Array[] {
  const alike = candidates.every(({ length }) => length === candidates[0]!.length);
  /** Heads that hold different numbers are scored one by one, each as if all held what it holds. */
  const scored = (tokens: readonly Int32Array[]): ReturnType<typeof scoreHeads> => {
    const part = tokensTrace(trace, tokens);
    const all = tokens.map(({ length }) => Int32Array.from({ length }, (_, i) => i));
    return scoreHeads(scorer, part, own, { tokens: all });
  };
  const together = alike ? scored(candidates) : undefined;
  return candidates.map((tokens, h) => {
    const head = together?.[h] ?? scored(candidates.map(() => tokens))[h]!;
    return indicesOfLargest(safeFirst(head), Math.min(tokens.length, budgets[h]!)).map((i) => tokens[i]!);
  });
}
