/**
 * Expected Attention (arXiv 2510.00636): keeps the tokens that queries to come would attend to.
 *
 * Decides by the expectation of exp(q·k) for a normal query q ~ N(μ', Σ'), whose mean and covariance are those of the
 * prompt's queries before RoPE, rotated to the positions that follow:
 *
 *   s_k = softmax_k( k·μ'/√D + kᵀΣ'k/(2D) )      per query head, mean over the group
 *   score = (s + ε)·‖v‖                          what the token adds to the output
 */
import { z } from 'zod';
import type { LayerTrace, Observation } from '../cache/types.js';
import { observed } from './observations.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    horizon: z
      .int()
      .min(1)
      .default(512)
      .describe('positions after the prompt whose mean rotation the queries get; at least 1'),
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
      .default(0)
      .describe('added to the attention before the value norm; at least 0 (kvpress takes 0.01 under AdaKV)'),
  })
  .check(
    checkBudget(({ sinks }) => ({ tokens: Math.max(1, sinks), of: 'the sinks are part of the budget' })),
  );

type ExpectedAttentionParams = z.infer<typeof params>;

const futureQueries = ({ sinks, horizon, query_bias }: ExpectedAttentionParams): Observation => ({
  kind: 'future_queries',
  skip: sinks,
  horizon,
  bias: query_bias,
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
  observes: (params) => [futureQueries(params)],
  alwaysKept: ({ sinks }) => ({ first: sinks, last: 0, of: 'the sinks' }),
  score: (trace, params) => {
    const { heads, kvHeads, length: S, headDim: D } = trace;
    const statistics = observed(trace, futureQueries(params)); // [H, D + D·D]
    const group = heads / kvHeads;
    const scores = new Float32Array(kvHeads * S); // [KV, S]
    const ranked = S - params.sinks;
    if (ranked <= 0) return scores;
    for (let h = 0; h < heads; h++) {
      const kv = Math.floor(h / group);
      const query = statistics.subarray(h * (D + D * D), (h + 1) * (D + D * D));
      const attention = softmax(expectedLogits(trace, kv, query, params));
      attention.forEach((weight, t) => (scores[kv * S + params.sinks + t]! += weight / group));
    }
    if (!params.value_norm) return scores;
    return scores.map((score, row) => (score + params.epsilon) * rowNorm(trace.values, row, D));
  },
});

/** log E exp(q·k/√D) of each token after the sinks, `[S − sinks]`; `query` holds μ' `[D]`, then Σ' `[D, D]`. */
function expectedLogits(
  { keys, length: S, headDim: D }: LayerTrace,
  kv: number,
  query: Float32Array,
  { sinks, covariance }: ExpectedAttentionParams,
): Float64Array {
  return Float64Array.from({ length: S - sinks }, (_, t) => {
    const key = keys.subarray((kv * S + sinks + t) * D, (kv * S + sinks + t + 1) * D);
    let mean = 0;
    let spread = 0;
    for (let i = 0; i < D; i++) {
      mean += key[i]! * query[i]!;
      if (!covariance) continue;
      let row = 0;
      const at = D + i * D;
      for (let j = 0; j < D; j++) row += query[at + j]! * key[j]!;
      spread += key[i]! * row;
    }
    return mean / Math.sqrt(D) + spread / (2 * D);
  });
}

function softmax(logits: Float64Array): Float64Array {
  const top = logits.reduce((a, b) => Math.max(a, b));
  const weights = logits.map((logit) => Math.exp(logit - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

function rowNorm(x: Float32Array, row: number, D: number): number {
  let squares = 0;
  for (let j = row * D; j < (row + 1) * D; j++) squares += x[j]! ** 2;
  return Math.sqrt(squares);
}
