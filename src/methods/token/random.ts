/**
 * Random eviction: the baseline that knows nothing.
 *
 * A draw for each layer, KV head and position, the same for the same seed.
 */
import * as z from 'zod';
import { drawsFor } from '../draws.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe('of the draws, a whole number from 0 to 2³² − 1; another seed keeps other tokens'),
  })
  .check(checkBudget(() => ({ tokens: 1, of: 'one token' })));

export const random = tokenMethod<z.infer<typeof params>>({
  name: 'random',
  summary: 'keeps tokens at random, others in each KV head',
  paper: 'none: a baseline of kvpress',
  notes: ['No token is exempt, neither the first nor the last.'],
  params,
  observes: () => [],
  alwaysKept: () => ({ first: 0, last: 0, of: 'no token' }),
  score: ({ layer, kvHeads, length: S }, { seed }) =>
    Float32Array.from({ length: kvHeads * S }, (_, i) => drawsFor(seed, layer, Math.floor(i / S), i % S)()),
});
