/**
 * FINCH (TACL 2024, tacl_a_00716): keeps the tokens that the question at the end of the prompt attends to, and closes the gaps.
 *
 *   score = mean over the window's queries of attention · keys that the query sees,   mean over the query heads
 */
import * as z from 'zod';
import type { LayerTrace } from '../../cache/types.js';
import { withMovedKeys } from '../moved-keys.js';
import { observed, windowField, windowLogits } from '../observations.js';
import { indicesOfLargest } from '../select.js';
import { softmax } from '../softmax.js';
import type { TokenMethod } from '../types.js';
import {
  budgetFields,
  checkBudget,
  expectEvictable,
  keepsAll,
  rankHeads,
  safeFirst,
} from './token-method.js';

const params = z
  .strictObject({
    ...budgetFields,
    window: windowField
      .default(64)
      .describe('last tokens of the prompt, the question: they score the others and always stay; 1 to 1024'),
    normalize: z
      .boolean()
      .default(true)
      .describe('whether attention is multiplied by the number of keys that its query sees'),
    chunk: z
      .int()
      .min(1)
      .max(65_536)
      .optional()
      .describe(
        'tokens of a chunk, each of which keeps the same share; 1 to 65,536; without it, the prompt is one',
      ),
    rerotate: z
      .boolean()
      .default(true)
      .describe('whether kept keys move to positions without gaps, and decoding goes on behind them'),
  })
  .check(checkBudget(({ window }) => ({ tokens: window, of: 'the window is part of the budget' })))
  .check((context) => {
    const { window, chunk, ratio, budget } = context.value;
    if (chunk === undefined) return;
    const fail = (message: string): void => {
      context.issues.push({ code: 'custom', input: context.value, path: ['chunk'], message });
    };
    if (budget !== undefined) fail('expected a ratio beside it: chunks keep shares');
    else if (ratio !== undefined && Math.trunc(chunk * (1 - ratio)) <= window)
      fail(`expected chunks that leave more than the ${window} tokens of the window`);
  });

type FinchParams = z.infer<typeof params>;

const scorer = {
  name: 'finch',
  alwaysKept: ({ window }: FinchParams) => ({ first: 0, last: window, of: 'the window' }),
  score: finchScores,
};

export const finch = {
  name: 'finch',
  axis: 'token',
  summary:
    'keeps the tokens that the end of the prompt, the question, attends to, and moves their keys together',
  paper: 'TACL a_00716',
  stores: 'keys, rotated to positions without gaps, and values of the kept tokens, dense',
  notes: [
    'The released code finds the question by a delimiter that it adds to the prompt; here `window` says how many tokens it has.',
    'Row p is multiplied by p, although its query sees p + 1 keys; as in kvpress.',
    'With chunks, one score over the whole prompt; the last chunk keeps its window, however short it is.',
    'rerotate as under the method of that name (spark-eval show rerotate).',
  ],
  params,
  sizedBy: ['budget', 'ratio'],
  observes: ({ window }) => [windowLogits(window)],
  rewrites: ({ rerotate, ratio }) => (rerotate && ratio !== 0 ? ['keys'] : []),
  asksForNothing: (_trace, params, plan) => keepsAll(params, plan),
  plan(trace, params, plan) {
    expectEvictable('finch', plan);
    const ranked = rankHeads<FinchParams>(scorer, trace, params, plan);
    if (ranked.every(({ held, keep }) => keep === held.length)) return plan;
    const { chunk = Infinity } = params;
    const tokens = ranked.map((head) => {
      const scores = safeFirst(head);
      const { held } = head;
      if (chunk === Infinity) return indicesOfLargest(scores, head.keep).map((i) => held[i]!);
      const kept: number[] = [];
      for (let from = 0; from < held.length;) {
        const start = Math.floor(held[from]! / chunk) * chunk;
        let end = from;
        while (end < held.length && held[end]! < start + chunk) end++;
        const safe = head.safe.subarray(from, end).reduce((count, one) => count + one, 0);
        const count = Math.max(1, safe, Math.trunc((end - from) * (1 - params.ratio!)));
        for (const i of indicesOfLargest(scores.slice(from, end), count)) kept.push(held[from + i]!);
        from = end;
      }
      return Int32Array.from(kept);
    });
    const chosen = { ...plan, tokens };
    return params.rerotate ? withMovedKeys('finch', trace, chosen) : chosen;
  },
} satisfies TokenMethod<FinchParams>;

/** `[KV, S]`; 0 in the window. */
export function finchScores(
  trace: LayerTrace,
  { window, normalize }: Pick<FinchParams, 'window' | 'normalize'>,
): Float32Array {
  const { heads: H, kvHeads: KV, length: S } = trace;
  const logits = observed(trace, windowLogits(window)); // [H, w, S]
  const w = Math.min(window, S);
  const scores = new Float64Array(KV * S);
  for (let row = 0; row < H * w; row++) {
    const h = Math.floor(Math.floor(row / w) / (H / KV));
    const attention = softmax(logits.subarray(row * S, (row + 1) * S));
    const weight = ((normalize ? S - w + (row % w) : 1) / w) * (KV / H);
    for (let t = 0; t < S - w; t++) scores[h * S + t]! += weight * attention[t]!;
  }
  return Float32Array.from(scores);
}
