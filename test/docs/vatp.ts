/**
 * VATP (arXiv 2406.12335): a token matters by the attention that it gets times the size of what it hands over.
 *
 * The score is attention of the last queries · ‖v‖₁. Sinks are kept because their values are small.
 */
import * as z from 'zod';
import { observed, windowAttention } from '../../src/methods/observations.js';
import { budgetFields, checkBudget, tokenMethod } from '../../src/methods/token/token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    window: z
      .int()
      .min(1)
      .default(16)
      .describe('last queries of the prompt that score the tokens; at least 1'),
    sinks: z.int().min(0).default(4).describe('first tokens of the prompt that always stay; at least 0'),
  })
  .check(
    checkBudget(({ window, sinks }) => ({
      tokens: window + sinks,
      of: 'the sinks and the window always stay',
    })),
  );

export const vatp = tokenMethod<z.infer<typeof params>>({
  name: 'vatp',
  summary: 'keeps the tokens with the largest product of attention and value norm',
  paper: 'arXiv 2406.12335',
  notes: [
    'Attention is that of the last window, as in SnapKV; the paper takes the accumulated attention of H2O.',
    'The query heads of a KV head are averaged; the paper has one query head per KV head.',
  ],
  params,
  observes: ({ window }) => [windowAttention(window)],
  alwaysKept: ({ window, sinks }) => ({ first: sinks, last: window, of: 'the sinks and the window' }),
  score: (trace, { window }) => {
    const { heads: H, kvHeads: KV, headDim: D, length: S, values } = trace;
    const G = H / KV;
    const attention = observed(trace, windowAttention(window)); // [H, S]
    const scores = new Float32Array(KV * S); // [KV, S]
    for (let h = 0; h < KV; h++) {
      for (let t = 0; t < S; t++) {
        let seen = 0;
        for (let g = 0; g < G; g++) seen += attention[(h * G + g) * S + t]! / G;
        let norm = 0;
        for (let j = 0; j < D; j++) norm += Math.abs(values[(h * S + t) * D + j]!);
        scores[h * S + t] = seen * norm;
      }
    }
    return scores;
  },
});
