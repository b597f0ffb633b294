/**
 * Expected Attention (arXiv 2510.00636): keeps the tokens that queries to come would attend to.
 *
 * The score is the expectation of exp(q·k) for a normal query q ~ N(μ', Σ'), whose mean and covariance are those of the
 * prompt's queries before RoPE, rotated to the positions that follow:
 *
 *   s_k = softmax_k( k·μ'/√D + kᵀΣ'k/(2D) )      per query head, mean over the group
 *   score = (s + ε)·‖v‖                          what the token adds to the output
 */
import * as z from 'zod';
import type { Observation } from '../../cache/types.js';
import { observed } from '../observations.js';
import { softmax } from '../softmax.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';
import { refuseUnused } from '../../base/unused-params.js';

const params = refuseUnused(
  z.strictObject({
    ...budgetFields,
    horizon: z
      .int()
      .min(1)
      .max(131_072)
      .default(512)
      .describe('positions after the prompt whose mean rotation the queries get; 1 to 131,072'),
    sinks: z
      .int()
      .min(0)
      .default(4)
      .describe('first tokens, which are left out of the statistics and always stay; at least 0'),
    covariance: z
      .boolean()
      .default(true)
      .describe('whether the spread of the queries counts, or their mean only'),
    value_norm: z
      .boolean()
      .default(true)
      .describe('whether the score is multiplied by the norm of the value'),
    query_bias: z
      .boolean()
      .default(false)
      .describe(
        'whether the bias of the query projection counts (Qwen2 has one); the released code leaves it out',
      ),
    epsilon: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('added to the attention before the value norm; 0 to 1 (kvpress takes 0.01 under AdaKV)'),
  }),
  {
    epsilon: { when: ({ value_norm }) => value_norm, needs: 'value_norm: true' },
  },
).check(checkBudget(({ sinks }) => ({ tokens: Math.max(1, sinks), of: 'the sinks are part of the budget' })));

type ExpectedAttentionParams = z.infer<typeof params>;

const futureLogits = ({ sinks, horizon, query_bias, covariance }: ExpectedAttentionParams): Observation => ({
  kind: 'future_logits',
  skip: sinks,
  horizon,
  bias: query_bias,
  covariance,
});

export const expectedAttention = tokenMethod<ExpectedAttentionParams>({
  name: 'expected_attention',
  summary: 'keeps the tokens that queries to come can be expected to attend to',
  paper: 'arXiv 2510.00636',
  notes: [
    'As in kvpress: statistics of the prompt without its sinks, 512 positions ahead, covariance and value norm on.',
    'The question is no better seen than the rest of the prompt: every query of it counts the same.',
  ],
  params,
  observes: (params) => [futureLogits(params)],
  alwaysKept: ({ sinks }) => ({ first: sinks, last: 0, of: 'the sinks' }),
  score: (trace, params) => {
    const { heads, kvHeads, length: S, headDim: D } = trace;
    const { sinks, value_norm: valueNorm, epsilon } = params;
    const group = heads / kvHeads;
    const scores = new Float32Array(kvHeads * S); // [KV, S]
    const ranked = S - sinks;
    if (ranked <= 0) return scores;
    const logits = observed(trace, futureLogits(params)); // [H, S − sinks]
    for (let h = 0; h < heads; h++) {
      const first = Math.floor(h / group) * S + sinks;
      const attention = softmax(logits.subarray(h * ranked, (h + 1) * ranked));
      for (let t = 0; t < ranked; t++) scores[first + t]! += attention[t]! / group;
    }
    if (valueNorm) {
      for (let row = 0; row < scores.length; row++) {
        scores[row] = (scores[row]! + epsilon) * rowNorm(trace.values, row, D);
      }
    }
    return scores;
  },
});

function rowNorm(x: Float32Array, row: number, D: number): number {
  let squares = 0;
  for (let j = row * D; j < (row + 1) * D; j++) squares += x[j]! ** 2;
  return Math.sqrt(squares);
}
