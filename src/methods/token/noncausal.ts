/**
 * Non-causal attention in chunks, the other half of Compactor (arXiv 2507.08143): keeps what its neighbourhood attends
 * to, whoever comes first.
 *
 *   a_t = Σ over the queries of t's chunk of their softmax attention to t, mean over the query heads
 *   score = average over three neighbours of a·‖v‖,     over the heads and tokens of a layer mean 0, deviation 1
 */
import * as z from 'zod';
import type { LayerTrace, Observation } from '../../cache/types.js';
import { observed } from '../observations.js';
import { zScores } from '../z-scores.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

export const nonCausalFields = {
  chunk: z
    .int()
    .min(1)
    .max(4096)
    .default(256)
    .describe('tokens of a chunk, whose queries see all of its keys; 1 to 4096'),
  variant: z
    .enum(['released', 'scaled'])
    .default('released')
    .describe(
      'released: logits not divided by √D, and the last chunk filled up with zeros that take part (kvpress); scaled: divided, nothing filled up (paper)',
    ),
};

export interface NonCausalParams {
  readonly chunk: number;
  readonly variant: 'released' | 'scaled';
}

const params = z
  .strictObject({ ...budgetFields, ...nonCausalFields })
  .check(checkBudget(() => ({ tokens: 1, of: 'one token' })));

export const noncausal = tokenMethod<z.infer<typeof params>>({
  name: 'noncausal',
  summary: 'keeps the tokens that the queries of their chunk attend to, earlier queries too',
  paper: 'arXiv 2507.08143',
  notes: [
    'variant=released is what the tables of kvpress show; the paper scales its logits (variant=scaled).',
    'No token is exempt, as in kvpress; chunks of 256.',
  ],
  params,
  observes: (params) => [chunkAttention(params, NO_ENDS)],
  alwaysKept: () => ({ first: 0, last: 0, of: 'no token' }),
  score: (trace, params) => nonCausalScores(trace, params, NO_ENDS),
});

/** Positions at the ends of the prompt that are left out. */
interface Ends {
  readonly first: number;
  readonly last: number;
}

const NO_ENDS: Ends = { first: 0, last: 0 };

export function chunkAttention({ chunk, variant }: NonCausalParams, { first, last }: Ends): Observation {
  const released = variant === 'released';
  return { kind: 'chunk_attention', chunk, first, last, scaled: !released, padded: released };
}

/** `[KV, S]` over the positions `first … S − last − 1`; 0 elsewhere. */
export function nonCausalScores(trace: LayerTrace, params: NonCausalParams, ends: Ends): Float32Array {
  const { heads: H, kvHeads: KV, headDim: D, length: S, values } = trace;
  const G = H / KV;
  const n = S - ends.first - ends.last;
  const scores = new Float32Array(KV * S);
  if (n <= 0) return scores;
  const attention = observed(trace, chunkAttention(params, ends)); // [H, S]
  const pooled = new Float32Array(KV * n);
  for (let h = 0; h < KV; h++) {
    const weighed = Float64Array.from({ length: n }, (_, i) => {
      const t = ends.first + i;
      let gathered = 0;
      for (let g = 0; g < G; g++) gathered += attention[(h * G + g) * S + t]! / G;
      let squares = 0;
      for (let j = 0; j < D; j++) squares += values[(h * S + t) * D + j]! ** 2;
      return gathered * Math.sqrt(squares);
    });
    for (let i = 0; i < n; i++) {
      pooled[h * n + i] = ((weighed[i - 1] ?? 0) + weighed[i]! + (weighed[i + 1] ?? 0)) / 3;
    }
  }
  const standard = zScores(pooled);
  for (let h = 0; h < KV; h++) scores.set(standard.subarray(h * n, (h + 1) * n), h * S + ends.first);
  return scores;
}
