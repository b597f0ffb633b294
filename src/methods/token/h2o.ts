/**
 * H2O (arXiv 2306.14048): keeps the heavy hitters, tokens that have gathered much attention, and the newest tokens.
 *
 * The name has four meanings in published code, here variants, which differ in whose attention is gathered and when
 * tokens go:
 *
 *   original   sum over all queries so far, those of decoded tokens included; evicts while decoding
 *   prefill    sum over all queries of the prompt; evicts once (KVCache-Factory)
 *   window     sum over the last queries of the prompt; evicts once (ThinK, ReFreeKV)
 *   kvpress    mean over the queries of the prompt that see the token; evicts once, no token is exempt
 */
import * as z from 'zod';
import type { LayerPolicy, LayerTrace } from '../../cache/types.js';
import { columnSums } from './column-sums.js';
import { evictFromPrefillEnd, liveBudget, surplus } from './live-eviction.js';
import { attentionSums, LONGEST_WINDOW, observed, windowAttention } from '../observations.js';
import {
  budgetFields,
  checkBudget,
  expectEvictable,
  tokenMethod,
  type ScoringMethod,
} from './token-method.js';
import { refuseUnused } from '../../base/unused-params.js';

const params = refuseUnused(
  z.strictObject({
    ...budgetFields,
    variant: z
      .enum(['kvpress', 'original', 'prefill', 'window'])
      .default('kvpress')
      .describe(
        'kvpress: mean attention of the prompt’s queries that see a token (the published SparK tables); original: sum over all queries so far, evicts while decoding; prefill: sum over the prompt’s queries; window: sum over its last queries',
      ),
    recent: z
      .int()
      .min(1)
      .optional()
      .describe(
        'newest tokens that always stay, at least 1; window: also the queries that score, at most 1024; 32 where not given, in the variant original half the budget; kvpress does not use it',
      ),
  }),
  {
    recent: { when: ({ variant }) => variant !== 'kvpress', needs: 'variant: original, prefill or window' },
  },
)
  .check((context) => {
    const { variant, recent } = context.value;
    if (variant !== 'window' || recent === undefined || recent <= LONGEST_WINDOW) return;
    const message = `expected at most ${LONGEST_WINDOW} where they score (variant: window)`;
    context.issues.push({ code: 'custom', input: context.value, path: ['recent'], message });
  })
  .check(checkBudget(alwaysKept));

type H2oParams = z.infer<typeof params>;

/** The newest tokens that always stay, given what stays altogether. */
function recentTokens({ variant, recent }: Omit<H2oParams, 'budget' | 'ratio'>, budget: number): number {
  if (variant === 'kvpress') return 0;
  return recent ?? (variant === 'original' ? Math.floor(budget / 2) : 32);
}

/** What stays whatever its score, and one token beside it. */
function alwaysKept({ variant, recent }: H2oParams): { tokens: number; of: string } {
  return {
    tokens: recentTokens({ variant, recent }, 2) + 1,
    of: 'the newest tokens and one more are part of the budget',
  };
}

const atPrefillEnd = tokenMethod<H2oParams>({
  name: 'h2o',
  summary: 'keeps the tokens that have gathered most attention, and in most variants the newest ones',
  paper: 'arXiv 2306.14048',
  notes: [
    'variant=kvpress is ObservedAttention in kvpress: dividing by the queries that see a token takes away the advantage of early ones.',
    'variant=original sums the query heads of a KV head; the released code cannot run models whose query heads share keys. Half of the budget goes to the newest tokens unless recent says otherwise.',
    'In the variant original a ratio is of the prompt: its ⌊S·(1 − ratio)⌋ tokens are the budget, whatever is decoded.',
    'variant=window is what ThinK and ReFreeKV call H2O: SnapKV without pooling.',
  ],
  params,
  observes: ({ variant, recent }) =>
    variant === 'window' ? [windowAttention(recentTokens({ variant, recent }, 0))] : [attentionSums],
  alwaysKept: (params) => ({ first: 0, last: recentTokens(params, 0), of: 'the newest tokens' }),
  score: (trace, params) => {
    const { kvHeads, length: S } = trace;
    const gathered = Array.from({ length: kvHeads }, (_, h) => [...gatheredBy(trace, params, h)]);
    // The key at position k is seen by the S − k queries from k on.
    const mean = params.variant === 'kvpress';
    return Float32Array.from(gathered.flat(), (sum, i) => (mean ? sum / (S - (i % S)) : sum)); // [KV, S]
  },
});

export const h2o: ScoringMethod<H2oParams> = {
  ...atPrefillEnd,
  stores: `${atPrefillEnd.stores}; variant=original: prompt and decoded tokens, and one float32 sum for each of them`,
  evictsWhileDecoding: ({ variant, ratio }) => variant === 'original' && ratio !== 0,
  plan(trace, params, plan) {
    if (params.variant !== 'original') return atPrefillEnd.plan(trace, params, plan);
    expectEvictable('h2o', plan);
    if (params.ratio === 0) return plan;
    const budget = liveBudget('h2o', params, plan.tokens, alwaysKept(params));
    const rule = { budget, recent: recentTokens(params, budget) };
    return evictFromPrefillEnd(plan, budget, (positions) => {
      const sums = positions.map((held, h) => {
        const gathered = gatheredBy(trace, params, h); // [S]
        return Float32Array.from(held, (position) => gathered[position]!); // [n]
      });
      return accumulating(sums, rule);
    });
  },
};

/** Attention that each position gathers from the prompt, summed over the query heads of KV head h; `[S]`. */
function gatheredBy(trace: LayerTrace, params: H2oParams, h: number): Float32Array {
  const { heads, kvHeads, length: S } = trace;
  const group = heads / kvHeads; // G
  const attention = observed(trace, atPrefillEnd.scorer.observes(params)[0]!); // [H, S]
  return columnSums([attention.subarray(h * group * S, (h + 1) * group * S)], S);
}

/** @param sums per KV head what each held token has gathered so far, `[n]` */
function accumulating(
  sums: Float32Array[],
  rule: { readonly budget: number; readonly recent: number },
): LayerPolicy {
  return {
    attended(heads) {
      heads.forEach(({ weights }, h) => {
        const before = sums[h]!;
        const now = columnSums([weights], before.length + 1); // of [G, n]
        before.forEach((sum, i) => (now[i]! += sum));
        sums[h] = now;
      });
    },
    evict: () =>
      sums.map((gathered, h) => {
        const going = surplus(gathered.length, rule, (older) => gathered.subarray(0, older));
        const gone = new Set(going);
        if (gone.size > 0) sums[h] = gathered.filter((_, i) => !gone.has(i));
        return going;
      }),
    bytes: () => sums.reduce((total, gathered) => total + gathered.byteLength, 0),
  };
}
