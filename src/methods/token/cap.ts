/**
 * CapKV (arXiv 2604.25975): keeps the tokens that add most to what the cache can say in the directions that count.
 *
 *   μ   mean query to come: mean of the prompt's queries before RoPE, rotated by the mean of the next positions
 *   w_j = exp(τ·cos(k_j, μ)), the largest of a head being 1
 *   A   = I + Σ_j (w_j + ε) v_j v_jᵀ
 *   score_j = w_j · v_jᵀ A⁻¹ v_j                 per query head, mean over the group
 */
import * as z from 'zod';
import type { LayerTrace } from '../../cache/types.js';
import { notFinite } from '../../base/not-finite.js';
import { choleskyOf, gramOf, leverageOf } from '../cholesky.js';
import { futureQuery, observed } from '../observations.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

const EPSILON = 1e-6;

const params = z
  .strictObject({
    ...budgetFields,
    tau: z
      .number()
      .min(0)
      .max(80)
      .default(5)
      .describe('τ, how much more a key counts that points to the queries to come; 0 to 80'),
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
      .describe('first tokens, which are left out of everything and always stay; at least 0'),
  })
  .check(
    checkBudget(({ sinks }) => ({ tokens: Math.max(1, sinks), of: 'the sinks are part of the budget' })),
  );

type CapParams = z.infer<typeof params>;

export const cap = tokenMethod<CapParams>({
  name: 'cap',
  summary: 'keeps the tokens whose values no others stand for, seen from the queries to come',
  paper: 'arXiv 2604.25975',
  notes: [
    'As in kvpress: keys and queries are compared by their cosine, the paper takes their product; queries are rotated to the positions that follow, of which the paper says nothing.',
    'The direction of a token’s output is its value, as released.',
  ],
  params,
  observes: ({ sinks, horizon }) => [futureQuery(sinks, horizon)],
  alwaysKept: ({ sinks }) => ({ first: sinks, last: 0, of: 'the sinks' }),
  score: (trace, params) => {
    const { heads: H, kvHeads: KV, length: S } = trace;
    const scores = new Float32Array(KV * S); // [KV, S]
    const n = S - params.sinks;
    if (n <= 0) return scores;
    const anchors = observed(trace, futureQuery(params.sinks, params.horizon)); // [H, D]
    for (let head = 0; head < H; head++) {
      const h = Math.floor(head / (H / KV));
      const own = capacityScores(trace, params, h, anchors, head);
      for (let i = 0; i < n; i++) scores[h * S + params.sinks + i]! += own[i]! / (H / KV);
    }
    return scores;
  },
});

/** Of one query head, over the tokens behind the sinks. */
function capacityScores(
  { headDim: D, length: S, keys, values }: LayerTrace,
  { sinks, tau }: CapParams,
  h: number,
  anchors: Float32Array,
  head: number,
): Float64Array {
  const anchor = anchors.subarray(head * D, (head + 1) * D);
  const own = (side: Float32Array): Float32Array => side.subarray((h * S + sinks) * D, (h + 1) * S * D); // [n, D]
  const aligned = cosines(own(keys), anchor);
  const top = aligned.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = aligned.map((cosine) => Math.exp(tau * (cosine - top)));
  const capacity = gramOf(
    own(values),
    D,
    weights.map((weight) => weight + EPSILON),
  );
  for (let j = 0; j < D; j++) capacity[j * D + j]! += 1;
  const factor = choleskyOf(capacity, D);
  if (factor === undefined) throw notFinite(`cap: the values of KV head ${h} span no capacity`);
  const scratch = new Float64Array(D);
  return weights.map((weight, i) => weight * leverageOf(factor, D, own(values), i * D, scratch));
}

/** Of each row with one vector; 0 where either is 0. */
function cosines(rows: Float32Array, vector: Float32Array): Float64Array {
  const D = vector.length;
  const length = Math.hypot(...vector);
  return Float64Array.from({ length: rows.length / D }, (_, t) => {
    let dot = 0;
    let squares = 0;
    for (let j = 0; j < D; j++) {
      dot += rows[t * D + j]! * vector[j]!;
      squares += rows[t * D + j]! ** 2;
    }
    const norm = Math.sqrt(squares) * length;
    return norm === 0 ? 0 : Math.max(-1, Math.min(1, dot / norm));
  });
}
