/**
 * DropKV (OpenReview MqfNzH3TVH): keeps the tokens without which the attention output would change most.
 *
 * Without token j query i's output o_i moves by p_ij/(1 − p_ij) · (o_i − v_j), exactly:
 *
 *   score_j = Σ over the last queries i of (p_ij / (1 − p_ij))² · ‖v_j − o_i‖²,   summed over the query heads
 */
import * as z from 'zod';
import { observed, windowField, windowLogits, windowOutputs } from '../observations.js';
import { softmax } from '../softmax.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

/** Below this 1 − p counts as this. */
const LEAST_REST = 1e-6;

const params = z
  .strictObject({
    ...budgetFields,
    window: windowField
      .default(64)
      .describe('last queries of the prompt, whose outputs count and whose tokens always stay; 1 to 1024'),
  })
  .check(
    checkBudget(({ window }) => ({ tokens: window, of: 'the observation window is part of the budget' })),
  );

export const dropkv = tokenMethod<z.infer<typeof params>>({
  name: 'dropkv',
  summary: 'keeps the tokens without which the outputs of the last queries would change most',
  paper: 'OpenReview MqfNzH3TVH',
  notes: [
    'The score is a squared change of the output, so that KV heads can be compared by it: see adakv.',
    'Tokens are judged one by one, as if only one were dropped.',
    'The window always stays, as in SnapKV; attention near 1 is cut at 1 − 10⁻⁶.',
  ],
  params,
  observes: ({ window }) => [windowLogits(window), windowOutputs(window)],
  alwaysKept: ({ window }) => ({ first: 0, last: window, of: 'the observation window' }),
  score: (trace, { window }) => {
    const { heads: H, kvHeads: KV, headDim: D, length: S, values } = trace;
    const logits = observed(trace, windowLogits(window)); // [H, w, S]
    const outputs = observed(trace, windowOutputs(window)); // [H, w, D]
    const w = Math.min(window, S);
    const scores = new Float64Array(KV * S); // [KV, S]
    for (let row = 0; row < H * w; row++) {
      const h = Math.floor(Math.floor(row / w) / (H / KV));
      const p = softmax(logits.subarray(row * S, (row + 1) * S));
      for (let t = 0; t < S - w; t++) {
        let squares = 0;
        for (let j = 0; j < D; j++) squares += (values[(h * S + t) * D + j]! - outputs[row * D + j]!) ** 2;
        scores[h * S + t]! += (p[t]! / Math.max(1 - p[t]!, LEAST_REST)) ** 2 * squares;
      }
    }
    return Float32Array.from(scores);
  },
});
