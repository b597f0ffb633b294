/**
 * SnapKV (arXiv 2404.14469): keeps the tokens that the last queries of the prompt attend to.
 *
 * The window always stays.
 */
import * as z from 'zod';
import { windowAttention } from '../observations.js';
import { snapFields, snapScores } from './snap-score.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';

const params = z
  .strictObject({ ...budgetFields, ...snapFields })
  .check(
    checkBudget(({ window }) => ({ tokens: window, of: 'the observation window is part of the budget' })),
  );

export const snapkv = tokenMethod<z.infer<typeof params>>({
  name: 'snapkv',
  summary: 'keeps the tokens that the last queries of the prompt attend to, and those last tokens',
  paper: 'arXiv 2404.14469',
  notes: [
    'As in kvpress: window 64, mean over its queries, average pooling of 5, one set of tokens per KV head.',
    "The paper's code sums, pools by maximum (width 7 in its LongBench runs), and keeps a set per query head: `window: 32, kernel: 7, pool: maximum` comes closest.",
    'A prompt no longer than the window has nothing to rank: all of it stays.',
  ],
  params,
  observes: ({ window }) => [windowAttention(window)],
  alwaysKept: ({ window }) => ({ first: 0, last: window, of: 'the observation window' }),
  score: snapScores,
});
