/**
 * Compactor (arXiv 2507.08143): keeps the tokens that no others stand for and that their neighbourhood attends to.
 *
 *   score = λ · leverage + non-causal attention      both of the tokens between the ends, which always stay
 */
import * as z from 'zod';
import { gaussianSketch, type Sketch } from '../sketch.js';
import { leverageScores, sketchFields } from './leverage.js';
import { chunkAttention, nonCausalFields, nonCausalScores } from './noncausal.js';
import { budgetFields, checkBudget, tokenMethod, type ScoringMethod } from './token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    blending: z
      .number()
      .min(0)
      .max(1000)
      .optional()
      .describe('λ, weight of the leverage; 0 to 1000; without it the fraction that is evicted'),
    first: z
      .int()
      .min(0)
      .max(65_536)
      .default(8)
      .describe('first tokens of the prompt, which always stay; 0 to 65536'),
    last: z
      .int()
      .min(0)
      .max(65_536)
      .default(4)
      .describe('last tokens of the prompt, which always stay; 0 to 65536'),
    ...nonCausalFields,
    ...sketchFields,
  })
  .check(
    checkBudget(({ first, last }) => ({
      tokens: Math.max(1, first + last),
      of: 'the first and last tokens are part of the budget',
    })),
  );

type CompactorParams = z.infer<typeof params>;

export const compactor = compactorBy(gaussianSketch);

/** The method with sketches from elsewhere, one `[D, s]` per layer and KV head. */
export function compactorBy(sketch: Sketch): ScoringMethod<CompactorParams> {
  return tokenMethod<CompactorParams>({
    name: 'compactor',
    summary: 'keeps the tokens that no others stand for and that their neighbourhood attends to',
    paper: 'arXiv 2507.08143',
    notes: [
      'As in kvpress: λ is the fraction that is evicted unless `blending` gives it; the paper calibrates it per model.',
      'What its parts leave of the paper holds here, too: spark-eval show leverage, spark-eval show noncausal.',
    ],
    params,
    observes: (params) => [{ kind: 'unrotated_keys' }, chunkAttention(params, params)],
    alwaysKept: ({ first, last }) => ({ first, last, of: 'the first and last tokens' }),
    score: (trace, params) => {
      const geometry = leverageScores(trace, params, params, sketch); // [KV, S]
      const attention = nonCausalScores(trace, params, params);
      const evicted = params.ratio ?? Math.max(0, 1 - params.budget! / trace.length);
      const blending = params.blending ?? evicted;
      return geometry.map((score, i) => blending * score + attention[i]!);
    },
  });
}
