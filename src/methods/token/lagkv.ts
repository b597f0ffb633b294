/**
 * LagKV (arXiv 2504.04704): keeps the tokens that stand out when measured by the range of the tokens after them.
 *
 * Behind the sinks the prompt is cut into partitions of `lag` tokens. For keys and values of each but the last:
 *
 *   x' = (x − min) / (max − min)     min and max per channel over the next partition
 *   s  = softmax over the partition of the deviation of x' over the channels
 *   score = (s_K + s_V) / 2          ranked within the partition, so that each loses the same share
 */
import * as z from 'zod';
import type { LayerTrace } from '../../cache/types.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    lag: z
      .int()
      .min(2)
      .max(65_536)
      .default(128)
      .describe('tokens of a partition, which the next one measures; 2 to 65,536'),
    sinks: z.int().min(0).default(4).describe('first tokens of the prompt, which always stay; at least 0'),
    cross_scoring: z
      .boolean()
      .default(false)
      .describe('whether partitions compete by their scores, or each keeps the same share'),
  })
  .check(
    checkBudget(({ sinks }) => ({ tokens: Math.max(1, sinks), of: 'the sinks are part of the budget' })),
  );

type LagKvParams = z.infer<typeof params>;

export const lagkv = tokenMethod<LagKvParams>({
  name: 'lagkv',
  summary: 'keeps the tokens that stand out against the range of the tokens after them',
  paper: 'arXiv 2504.04704',
  notes: [
    'As in kvpress: partitions of 128, four sinks; the last whole partition and what is left over go last.',
    'A prompt shorter than the sinks and two partitions keeps its newest tokens, as StreamingLLM does.',
    'Ranks of several partitions are equal by construction: of equal ones the earlier partition stays. In the tail, which nothing ranks, the newest do.',
    'A channel without range in the next partition counts as 0; the released code divides by zero there.',
  ],
  params,
  observes: () => [],
  alwaysKept: ({ sinks }) => ({ first: sinks, last: 0, of: 'the sinks' }),
  score: (trace, params) => {
    const { kvHeads: KV, length: S } = trace;
    const scores = new Float32Array(KV * S); // [KV, S]
    for (let h = 0; h < KV; h++) scores.set(headScores(trace, params, h), h * S);
    return scores;
  },
});

function headScores(
  trace: LayerTrace,
  { lag, sinks, cross_scoring: cross }: LagKvParams,
  h: number,
): Float32Array {
  const { length: S } = trace;
  if (S < sinks + 2 * lag) {
    return Float32Array.from({ length: S }, (_, t) => (t < sinks ? 1 : (t - sinks) / (S - sinks)));
  }
  const whole = Math.floor((S - sinks) / lag);
  const ranked = sinks + (whole - 1) * lag; // the positions behind it are nobody's to measure
  const scores = Float32Array.from({ length: S }, (_, t) =>
    t < sinks ? 1 : 1 + (t - ranked + 1) / (S - ranked + 1),
  );
  for (let start = sinks; start < ranked; start += lag) {
    const [keys, values] = [trace.keys, trace.values].map((side) => shares(trace, side, h, start, lag));
    const mean = Float64Array.from(keys!, (share, i) => (share + values![i]!) / 2);
    scores.set(cross ? mean : ranksOf(mean).map((rank) => rank / lag), start);
  }
  return scores;
}

/** Softmax of the deviation of each token of a partition, measured by the next one. */
function shares(
  { headDim: D, length: S }: LayerTrace,
  side: Float32Array,
  h: number,
  start: number,
  lag: number,
): Float64Array {
  const at = (t: number): number => (h * S + t) * D;
  const least = new Float64Array(D).fill(Infinity);
  const most = new Float64Array(D).fill(-Infinity);
  for (let t = start + lag; t < start + 2 * lag; t++) {
    for (let j = 0; j < D; j++) {
      const x = side[at(t) + j]!;
      least[j] = Math.min(least[j]!, x);
      most[j] = Math.max(most[j]!, x);
    }
  }
  const spread = Float64Array.from({ length: lag }, (_, i) => {
    const row = Float64Array.from({ length: D }, (_, j) => {
      const range = most[j]! - least[j]!;
      return range === 0 ? 0 : (side[at(start + i) + j]! - least[j]!) / range;
    });
    const mean = row.reduce((a, b) => a + b, 0) / D;
    return Math.sqrt(row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (D - 1));
  });
  const top = spread.reduce((a, b) => Math.max(a, b));
  const weights = spread.map((x) => Math.exp(x - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** 0 for the least, n − 1 for the largest; of equal ones the earlier is the smaller. */
function ranksOf(scores: Float64Array): number[] {
  const order = Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]! || a - b);
  const ranks = Array<number>(scores.length).fill(0);
  order.forEach((index, rank) => (ranks[index] = rank));
  return ranks;
}
