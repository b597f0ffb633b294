/**
 * StreamingLLM (arXiv 2309.17453): a few attention sinks and the most recent tokens.
 *
 * Positions alone count. As in kvpress, kept keys stay at their original positions; the paper's own code gives them new
 * ones inside its window.
 */
import * as z from 'zod';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    sinks: z.int().min(0).default(4).describe('first tokens of the prompt that always stay; at least 0'),
  })
  .check(checkBudget(({ sinks }) => ({ tokens: sinks + 1, of: 'the sinks and one recent token' })));

export const streamingLlm = tokenMethod<z.infer<typeof params>>({
  name: 'streaming_llm',
  summary: 'keeps the first tokens (attention sinks) and the most recent ones',
  paper: 'arXiv 2309.17453',
  notes: [
    'Keys stay at their original positions, as in kvpress; the paper re-assigns positions in the window.',
  ],
  params,
  observes: () => [],
  alwaysKept: ({ sinks }) => ({ first: sinks, last: 1, of: 'the sinks and one recent token' }),
  score: ({ kvHeads, length }) => Float32Array.from({ length: kvHeads * length }, (_, i) => i % length),
});
