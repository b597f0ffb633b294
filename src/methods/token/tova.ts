/**
 * TOVA (arXiv 2401.06104): keeps the tokens that the newest token attends to.
 *
 * One query is averaged over all query heads of the layer, so all KV heads keep the same tokens: once by the last token
 * of the prompt, as in kvpress, or after each token, as in the paper.
 */
import * as z from 'zod';
import type { LayerPlan, LayerPolicy } from '../../cache/types.js';
import { UserError } from '../../base/errors.js';
import { columnSums } from './column-sums.js';
import { surplus } from './live-eviction.js';
import { observed, windowAttention } from '../observations.js';
import { budgetFields, checkBudget, tokenMethod, type ScoringMethod } from './token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    while_decoding: z
      .boolean()
      .default(false)
      .describe(
        'false: evicts once, at the end of the prefill, and keeps the last token (kvpress); true: also after each decoded token the one that it attends to least, which may be itself (paper)',
      ),
  })
  .check(checkBudget(() => ({ tokens: 1, of: 'one token' })));

type TovaParams = z.infer<typeof params>;

const atPrefillEnd = tokenMethod<TovaParams>({
  name: 'tova',
  summary: 'keeps the tokens that the last one attends to, the same for all KV heads of a layer',
  paper: 'arXiv 2401.06104',
  notes: [
    'As in kvpress: at the end of the prefill only, and the last token always stays.',
    'while_decoding=true is the paper’s own code: no token is exempt, and a full cache loses one token per step.',
    'With while_decoding a ratio is of the prompt: the tokens that it leaves are the budget, whatever is decoded.',
  ],
  params,
  observes: () => [windowAttention(1)],
  alwaysKept: ({ while_decoding }) => ({ first: 0, last: while_decoding ? 0 : 1, of: 'the last token' }),
  score: (trace) => {
    const { kvHeads, length: S } = trace;
    const sums = columnSums([observed(trace, windowAttention(1))], S); // of [H, S]
    return Float32Array.from({ length: kvHeads * S }, (_, i) => sums[i % S]!);
  },
});

export const tova: ScoringMethod<TovaParams> = {
  ...atPrefillEnd,
  evictsWhileDecoding: ({ while_decoding, ratio }) => while_decoding && ratio !== 0,
  plan(trace, params, plan) {
    const kept = atPrefillEnd.plan(trace, params, plan);
    if (!params.while_decoding || params.ratio === 0) return kept;
    expectSameTokens(kept);
    const budget = params.budget ?? kept.tokens[0]!.length;
    const start = (positions: readonly Int32Array[]) => newestDecides(budget, positions);
    return { ...kept, decode: { budget, evicts: 'after_attention', start } };
  },
};

/** Keeps what the newest token attends to; remembers nothing from one token to the next. */
function newestDecides(budget: number, positions: readonly Int32Array[]): LayerPolicy {
  let held = positions[0]!.length;
  let attention: Float32Array = new Float32Array(held); // [n]
  return {
    attended(heads) {
      held++;
      attention = columnSums(
        heads.map(({ weights }) => weights), // [G, n] each
        held,
      );
    },
    evict() {
      const going = surplus(held, { budget, recent: 0 }, () => attention);
      held -= going.length;
      return positions.map(() => going);
    },
    bytes: () => 0,
  };
}

function expectSameTokens({ tokens: [first, ...others] }: LayerPlan): void {
  if (others.every((tokens) => tokens.length === first!.length && tokens.every((t, i) => t === first![i])))
    return;
  throw new UserError(
    'tova evicts the same tokens of all KV heads, but an earlier step has kept others in each',
    {
      hint: 'Leave the earlier step out, or use while_decoding: false.',
    },
  );
}
