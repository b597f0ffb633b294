/**
 * PyramidKV (arXiv 2406.02069): SnapKV with more tokens in the lower layers than in the upper ones.
 *
 * The score is SnapKV's; only the number of tokens differs by layer. With P' tokens per layer on average, N layers and
 * β:
 *
 *   min = P'/β,  max = 2P' − min      (where max exceeds what can be ranked: max = S − w, min = 2P' − max)
 *   layer l keeps max − l·(max − min)/(N − 1), window included
 */
import * as z from 'zod';
import type { LayerTrace } from '../../cache/types.js';
import { windowAttention } from '../observations.js';
import { roundHalfEven } from '../rounding.js';
import { snapFields, snapScores } from './snap-score.js';
import { budgetFields, checkBudget, tokenMethod } from './token-method.js';
import { refuseUnused } from '../../base/unused-params.js';

const params = refuseUnused(
  z.strictObject({
    ...budgetFields,
    ...snapFields,
    beta: z
      .number()
      .min(1)
      .default(20)
      .describe('steepness β: the mean budget over the smallest; at least 1'),
    variant: z
      .enum(['released', 'corrected', 'original'])
      .default('released')
      .describe(
        "released: 90 % of all tokens where no pyramid fits a budget (the published SparK tables); corrected: the budget there; original: the authors' arithmetic, window on top",
      ),
  }),
  {
    variant: {
      when: ({ variant, budget }) => variant !== 'corrected' || budget !== undefined,
      needs: 'a budget',
    },
  },
).check(
  checkBudget(({ window }) => ({ tokens: window, of: 'the observation window is part of the budget' })),
);

type PyramidParams = z.infer<typeof params>;

/** The ratio that the scripts of the released code leave at its default beside a budget. */
const FALLBACK_RATIO = 0.1;

export const pyramidkv = tokenMethod<PyramidParams>({
  name: 'pyramidkv',
  summary: 'keeps what SnapKV keeps, more of it in the lower layers',
  paper: 'arXiv 2406.02069',
  notes: [
    'As in the code behind the SparK tables: with a budget, whenever the smallest layer would get less than the window (budgets below about 1,344), 90 % of ALL tokens stay. Its published rows for budgets 128, 512 and 1,024 are mostly that.',
    'variant=corrected keeps the budget there, in every layer the same, like SnapKV.',
    'With a budget the layers keep budget − window tokens on average, as released; with a ratio, S·(1 − ratio).',
    "variant=original is the authors' later code: whole numbers, budget − window tokens on average and the window on top; the budget in every layer where the prompt is shorter than twice that. It uses a window of 8, and a set per query head.",
    'A budget of at least the prompt length keeps everything.',
  ],
  params,
  observes: ({ window }) => [windowAttention(window)],
  alwaysKept: ({ window }) => ({ first: 0, last: window, of: 'the observation window' }),
  score: snapScores,
  keep: layerBudget,
});

/** Tokens that the layer keeps of `held`. */
function layerBudget(
  { layer, layers }: LayerTrace,
  { budget, ratio, window, beta, variant }: PyramidParams,
  held: number,
): number {
  if (budget !== undefined && budget >= held) return held;
  const mean =
    budget === undefined ? held * (1 - ratio!) - (variant === 'original' ? window : 0) : budget - window;
  let least = mean / beta;
  if (variant === 'original') {
    if (held < 2 * mean) return Math.min(held, mean + window);
    least = Math.floor(least);
  }
  let most = 2 * mean - least;
  if (most >= held - window) {
    most = held - window;
    least = 2 * mean - most;
  }
  if (variant === 'original') {
    const step = layers === 1 ? 0 : Math.floor((most - least) / (layers - 1));
    return Math.floor(most - layer * step) + window;
  }
  if (held >= most && most >= least && least >= window) {
    return roundHalfEven(layers === 1 ? mean : most - (layer * (most - least)) / (layers - 1));
  }
  if (budget === undefined) return roundHalfEven(mean);
  return variant === 'corrected' ? budget : roundHalfEven(held * (1 - FALLBACK_RATIO));
}
