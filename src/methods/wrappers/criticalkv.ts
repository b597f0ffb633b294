/**
 * CriticalKV (arXiv 2502.03805): what a token adds to the output depends on its value as well as on its attention.
 *
 * Two stages, over the score of any base.
 *   stage 1    the ⌊n/2⌋ best tokens by the base's score s
 *   stage 2    of the others the best by (s + 10⁻⁴) · mean over the G query heads of ‖v W_o,h‖₁
 *
 * `adaptive` is CriticalAdaKV: the two stages within head budgets that are AdaKV's.
 */
import * as z from 'zod';
import { baseFields, checkBase, methodOfBase } from './base-scorer.js';
import { observed, valueOutputNorms } from '../observations.js';
import { ownShare, pooledBest } from './pooled-best.js';
import { indicesOfLargest } from '../select.js';
import type { RankedHead } from '../token/token-method.js';
import { refuseUnused } from '../../base/unused-params.js';

const params = refuseUnused(
  z.strictObject({
    ...baseFields,
    first_stage: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("share of the budget that the base's score alone fills, in [0, 1]"),
    epsilon: z
      .number()
      .min(0)
      .max(1000)
      .default(1e-4)
      .describe('added to the score before it is multiplied by the norm; 0 to 1000'),
    adaptive: z
      .boolean()
      .default(false)
      .describe('true: CriticalAdaKV, KV heads share the budget of a layer as under adakv'),
    alpha: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('adaptive only: share of the budget that every KV head has for itself, in [0, 1]'),
  }),
  {
    alpha: { when: ({ adaptive }) => adaptive, needs: 'adaptive: true' },
  },
).check(checkBase);

type CriticalKvParams = z.infer<typeof params>;

export const criticalkv = methodOfBase<CriticalKvParams>({
  name: 'criticalkv',
  summary:
    "ranks the second half of the budget by another method's score times the norm of the value's output",
  paper: 'arXiv 2502.03805',
  notes: [
    'As in kvpress; with adaptive=true its CriticalAdaKV.',
    "What the base always keeps (its window, its sinks) is not protected, as released: such tokens have the layer's largest score, and compete.",
    'Where the window is more than the first stage holds, the oldest of its tokens fill that stage: they are equal.',
    'Scores below 0 (knorm) times a norm prefer values of small norm, as released.',
  ],
  params,
  observes: [valueOutputNorms],
  choose: (heads, { first_stage, epsilon, adaptive, alpha }, trace) => {
    const norms = observed(trace, valueOutputNorms); // [KV, S]
    const budgets = adaptive
      ? pooledBest(heads, alpha).map(({ length }) => length)
      : heads.map(({ keep }) => keep);
    const padded = padSafe(heads);
    return heads.map(({ held, keep }, h) => {
      const scores = padded[h]!; // [n]
      const own = adaptive ? ownShare(keep, alpha) : 0;
      const first = Math.max(own, Math.trunc(budgets[h]! * first_stage));
      const worth = scores.map((s, i) => (s + epsilon) * norms[h * trace.length + held[i]!]!); // [n]
      for (const i of indicesOfLargest(scores, first)) worth[i] = Infinity;
      return indicesOfLargest(worth, budgets[h]!);
    });
  },
});

/** Per KV head the scores `[n]`, the largest of the layer for what the base always keeps. */
function padSafe(heads: readonly RankedHead[]): Float32Array[] {
  const largest = heads.reduce(
    (best, { scores, safe }) => scores.reduce((max, s, i) => (safe[i] === 1 ? max : Math.max(max, s)), best),
    -Infinity,
  );
  return heads.map(({ scores, safe }) => scores.map((s, i) => (safe[i] === 1 ? largest : s)));
}
