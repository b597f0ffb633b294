/**
 * AdaKV (arXiv 2407.11550): the KV heads of a layer share one budget, and the scores say who gets how much of it.
 *
 * A head with much to keep takes from one with little. Where scores come from is the base's business.
 *
 *   kvpress     the ⌊αn⌋ best of each head stay; of all others in the layer the best, until KV·n tokens stay
 *   original    b = n − always kept;  a_h = tokens of head h among the best KV·b of the layer
 *               head h keeps round((1 − α)·a_h + ⌊αb⌋) tokens, and what is always kept on top
 */
import * as z from 'zod';
import { baseFields, checkBase, methodOfBase } from './base-scorer.js';
import { bestOfAll, pooledBest } from './pooled-best.js';
import { roundHalfEven } from '../rounding.js';
import { indicesOfLargest } from '../select.js';
import { safeFirst, type RankedHead } from '../token/token-method.js';
import { refuseUnused } from '../../base/unused-params.js';

const params = refuseUnused(
  z.strictObject({
    ...baseFields,
    alpha: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('share of the budget that every KV head has for itself, in [0, 1]; 1 = no sharing'),
    variant: z
      .enum(['kvpress', 'original'])
      .default('kvpress')
      .describe('kvpress: each head keeps its own best first; original: head budgets are mixed and rounded'),
    normalize: z
      .boolean()
      .default(true)
      .describe(
        "original only: weigh each head's scores by the share of their sum that its own budget would keep",
      ),
  }),
  {
    normalize: { when: ({ variant }) => variant === 'original', needs: 'variant: original' },
  },
).check(checkBase);

type AdaKvParams = z.infer<typeof params>;

export const adakv = methodOfBase<AdaKvParams>({
  name: 'adakv',
  summary: "shares a layer's budget among its KV heads by another method's scores",
  paper: 'arXiv 2407.11550',
  notes: [
    'Default as in kvpress; variant=original is the form of the authors and of KVCache-Factory.',
    'kvpress masks the evicted tokens of a head and frees nothing; here each KV head stores its own number of tokens.',
    'What the base always keeps stays in every head, in both variants.',
    'original: head budgets are rounded one by one, and each own share down, as released: a layer may keep a few tokens more or fewer than asked.',
    'One set of tokens per KV head; the original code has one per query head and stores the cache once for each.',
    'Over pyramidkv the layers share as the pyramid says, as in the paper; kvpress takes only its score.',
    'At alpha=0 each KV head still keeps its best token.',
  ],
  params,
  observes: [],
  choose: (heads, { alpha, variant, normalize }) =>
    variant === 'kvpress' ? pooledBest(heads, alpha) : mixedBudgets(heads, alpha, normalize),
});

/** The original form: per KV head indices into `held`, ascending. */
function mixedBudgets(heads: readonly RankedHead[], alpha: number, normalize: boolean): Int32Array[] {
  const own = heads.map(({ keep, safe }) => keep - sum(safe)); // b, per head
  const weighed = heads.map(({ scores, safe }, h) => {
    const open = scores.filter((_, i) => safe[i] === 0);
    const share = normalize ? shareOfBest(open, own[h]!) : 1;
    return scores.map((score, i) => (safe[i] === 1 ? -Infinity : score * share)); // [n]
  });
  const adaptive = bestOfAll(weighed, sum(own)); // per head a_h indices
  return heads.map((head, h) => {
    const budget = roundHalfEven((1 - alpha) * adaptive[h]!.length + Math.trunc(alpha * own[h]!));
    return indicesOfLargest(safeFirst(head), Math.max(1, sum(head.safe) + budget));
  });
}

/** What the `count` largest scores are of the sum of all. */
function shareOfBest(scores: Float32Array, count: number): number {
  const ascending = scores.toSorted();
  const total = sum(ascending);
  return total === 0 ? 1 : sum(ascending.subarray(scores.length - count)) / total;
}

function sum(list: Iterable<number>): number {
  let total = 0;
  for (const x of list) total += x;
  return total;
}
