/**
 * KeyDiff (arXiv 2504.15364): keeps the tokens whose keys are unlike the others.
 *
 * Keys are compared with their mean direction; no query is asked.
 */
import * as z from 'zod';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

const params = z.strictObject(budgetFields).check(checkBudget(() => ({ tokens: 1, of: 'one token' })));

export const keydiff = tokenMethod<z.infer<typeof params>>({
  name: 'keydiff',
  summary: 'keeps the tokens whose keys point away from the mean key',
  paper: 'arXiv 2504.15364',
  notes: [
    'As in kvpress: once, over the whole prompt. The paper evicts block by block during the prefill (blocks of 128).',
  ],
  params,
  observes: () => [],
  alwaysKept: () => ({ first: 0, last: 0, of: 'no token' }),
  score: ({ keys, kvHeads, length: S, headDim: D }) => {
    const scores = new Float32Array(kvHeads * S); // [KV, S]
    for (let h = 0; h < kvHeads; h++) {
      const head = keys.subarray(h * S * D, (h + 1) * S * D); // [S, D]
      const norms = Float64Array.from({ length: S }, (_, t) => normOf(head.subarray(t * D, (t + 1) * D)));
      const anchor = new Float64Array(D);
      head.forEach((x, i) => (anchor[i % D]! += x / norms[Math.floor(i / D)]! / S));
      const anchorNorm = normOf(anchor);
      for (let t = 0; t < S; t++) {
        let dot = 0;
        for (let j = 0; j < D; j++) dot += head[t * D + j]! * anchor[j]!;
        scores[h * S + t] = -dot / (norms[t]! * anchorNorm);
      }
    }
    return scores;
  },
});

/** Never 0, so that a key of zeros has the cosine 0. */
function normOf(x: ArrayLike<number>): number {
  let squares = 0;
  for (let j = 0; j < x.length; j++) squares += x[j]! ** 2;
  return Math.max(Math.sqrt(squares), 1e-12);
}
