/**
 * Knorm (arXiv 2406.11430): keeps the tokens whose keys are short.
 *
 * The norm of the key alone; no query is asked.
 */
import * as z from 'zod';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    whole_layers: z
      .array(z.int().min(0))
      .default([])
      .describe('layers that keep everything, counted from 0; the paper: [0, 1]'),
  })
  .check(checkBudget(() => ({ tokens: 1, of: 'one token' })));

export const knorm = tokenMethod<z.infer<typeof params>>({
  name: 'knorm',
  summary: 'keeps the tokens whose keys have the smallest norm',
  paper: 'arXiv 2406.11430',
  notes: [
    'As in kvpress: every layer is pruned, no token is exempt. The paper leaves the first two layers whole: `whole_layers: [0, 1]`.',
    'The norm is the same before and after RoPE.',
  ],
  params,
  observes: () => [],
  layers: ({ whole_layers }) => whole_layers,
  alwaysKept: () => ({ first: 0, last: 0, of: 'no token' }),
  keep: ({ layer }, { whole_layers }, held) => (whole_layers.includes(layer) ? held : undefined),
  score: ({ keys, kvHeads, length, headDim: D }) =>
    Float32Array.from({ length: kvHeads * length }, (_, row) => {
      let squares = 0;
      for (let j = row * D; j < (row + 1) * D; j++) squares += keys[j]! ** 2;
      return -Math.sqrt(squares);
    }),
});
