/**
 * SnapKV (arXiv 2404.14469): keeps the tokens that the last queries of the prompt attend to.
 *
 * Decides the score in the form of kvpress, which made the published SparK tables: attention of the observation
 * window, mean over its queries, average-pooled along the positions, mean over the query heads of a KV head.
 */
import { z } from 'zod';
import { observed, windowAttention } from './observations.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    window: z
      .int()
      .min(1)
      .default(64)
      .describe(
        'observation window: last tokens of the prompt, which score the others and always stay; at least 1',
      ),
    kernel: z
      .int()
      .min(1)
      .refine((kernel) => kernel % 2 === 1, 'expected an odd number')
      .default(5)
      .describe('width of the average pooling along the positions; odd, 1 = none'),
  })
  .check(
    checkBudget(({ window }) => ({ tokens: window, of: 'the observation window is part of the budget' })),
  );

export const snapkv = tokenMethod<z.infer<typeof params>>({
  name: 'snapkv',
  summary: 'keeps the tokens that the last queries of the prompt attend to, and those last tokens',
  paper: 'arXiv 2404.14469',
  notes: [
    'As in kvpress: window 64, mean over its queries, average pooling of 5, one set of tokens per KV head.',
    "The paper's code sums, pools by maximum (width 7 in its LongBench runs), and keeps a set per query head.",
    'A prompt no longer than the window has nothing to rank: all of it stays.',
  ],
  params,
  observes: ({ window }) => [windowAttention(window)],
  alwaysKept: ({ window }) => ({ first: 0, last: window, of: 'the observation window' }),
  score: (trace, { window, kernel }) => {
    const { kvHeads, length: S } = trace;
    const group = trace.heads / kvHeads;
    const attention = observed(trace, windowAttention(window)); // [H, S]
    const ranked = Math.max(0, S - window);
    const reach = (kernel - 1) / 2;
    const scores = new Float32Array(kvHeads * S); // [KV, S]
    for (let h = 0; h < kvHeads; h++) {
      for (let t = 0; t < ranked; t++) {
        // Beyond the ranked positions the pooling sees zeros, and still divides by its full width.
        const from = Math.max(0, t - reach);
        const to = Math.min(ranked - 1, t + reach);
        let sum = 0;
        for (let g = 0; g < group; g++) {
          const row = (h * group + g) * S;
          for (let i = from; i <= to; i++) sum += attention[row + i]!;
        }
        scores[h * S + t] = sum / (kernel * group);
      }
    }
    return scores;
  },
});
