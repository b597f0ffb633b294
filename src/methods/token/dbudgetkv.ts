/**
 * DBudgetKV, later ReFreeKV (arXiv 2502.16886): no budget is asked for; each layer keeps what its attention needs.
 *
 * A layer keeps the fewest tokens whose part of the attention's norm is whole up to the threshold.
 *   a       attention of each query head: mean over the last k rows of the prompt, of those that see the token
 *   X̂       the order in which tokens are worth keeping; some always stay and are not in a
 *   Δ_i     = 1 − mean over heads of √(Σ_{j ≤ i} a²_X̂j) / mean over heads of ‖a‖
 *   keep the smallest i with Δ_i < T, the same i for every head of the layer
 */
import * as z from 'zod';
import type { LayerTrace } from '../../cache/types.js';
import { UserError } from '../../base/errors.js';
import { observed, windowAttention, windowField } from '../observations.js';
import { expectEvictable } from './token-method.js';
import type { TokenMethod } from '../types.js';
import { refuseUnused } from '../../base/unused-params.js';

const params = refuseUnused(
  z.strictObject({
    threshold: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.01)
      .describe('T, fraction of the norm of the attention that may be lost, in (0, 1)'),
    order: z
      .enum(['position', 'h2o'])
      .default('position')
      .describe('position: sinks, then newest to oldest; h2o: by the attention of the window, which stays'),
    sinks: z
      .int()
      .min(0)
      .default(4)
      .describe('order position: first tokens of the prompt that always stay; at least 0'),
    window: windowField
      .default(8)
      .describe('order h2o: last tokens of the prompt, which rank the others and always stay; 1 to 1024'),
    rows: windowField
      .default(1)
      .describe('k, last queries of the prompt whose attention is measured; 1 to 1024'),
    norm: z
      .enum(['rest', 'all'])
      .default('rest')
      .describe('tokens in the norm: rest = without those that always stay (released code), all = with them'),
    heads: z
      .enum(['norm', 'attention'])
      .default('norm')
      .describe(
        'what is averaged over the heads of a layer: norm (released code) or attention, before its norm',
      ),
    whole_layers: z
      .array(z.int().min(0))
      .default([0, 1])
      .describe('layers that keep everything, counted from 0'),
  }),
  {
    sinks: { when: ({ order }) => order === 'position', needs: 'order: position' },
    window: { when: ({ order }) => order === 'h2o', needs: 'order: h2o' },
  },
);

export type DBudgetKvParams = z.infer<typeof params>;

export const dbudgetkv = {
  name: 'dbudgetkv',
  axis: 'token',
  summary: 'keeps as many tokens of each layer as preserve the norm of the attention up to a threshold',
  paper: 'arXiv 2502.16886',
  stores: 'keys and values of the kept tokens, dense; layers keep different numbers of them',
  notes: [
    'Named DBudgetKV in the first versions of the paper and ReFreeKV in the last; the defaults are those of its tables.',
    'How much stays is found in the prompt: the journal has the tokens of every layer and KV head (keptPerHead), tables their mean.',
    'A layer that needs all its tokens keeps them; that is no error.',
    'The sinks are left out of the norm, as released: within it they hide almost any loss (norm=all).',
    'With more than one row the released code lets rows attend to later tokens; here they are causal, as the paper writes.',
    'order=h2o is what the released examples run, there with a set of tokens per query head; here per KV head, by the mean of its query heads.',
    'The measures of the first versions (row and column sums, binary search over the whole matrix) are not built.',
  ],
  params,
  sizedBy: ['threshold'],
  observes: ({ order, rows, window }) =>
    [...new Set(order === 'h2o' ? [rows, window] : [rows])].map(windowAttention),
  layers: ({ whole_layers }) => whole_layers,
  asksForNothing: () => true,
  plan(trace, params, plan) {
    expectEvictable('dbudgetkv', plan);
    if (params.whole_layers.includes(trace.layer)) return plan;
    const orders = plan.tokens.map((held, h) =>
      params.order === 'position' ? byPosition(held, params) : byAttention(trace, held, h, params),
    );
    const kept = tokensNeeded(preservedNorms(trace, params, orders), params.threshold);
    const least = orders.every(({ always }) => always.length > 0) ? 0 : 1;
    return {
      ...plan,
      tokens: orders.map(({ always, others }) =>
        Int32Array.from([...always, ...others.slice(0, Math.max(least, kept))]).sort(),
      ),
    };
  },
} satisfies TokenMethod<DBudgetKvParams>;

/** Positions of one KV head: those that always stay, and the others, the first to keep first. */
interface Order {
  readonly always: readonly number[];
  readonly others: readonly number[];
}

function byPosition(held: Int32Array, { sinks }: DBudgetKvParams): Order {
  const first = [...held].filter((t) => t < sinks);
  return { always: first, others: [...held].slice(first.length).reverse() };
}

function byAttention(trace: LayerTrace, held: Int32Array, h: number, { window }: DBudgetKvParams): Order {
  const { heads, kvHeads, length: S } = trace;
  const group = heads / kvHeads;
  const attention = observed(trace, windowAttention(window)); // [H, S]
  const worth = (t: number): number => {
    let sum = 0;
    for (let g = 0; g < group; g++) sum += attention[(h * group + g) * S + t]!;
    return sum;
  };
  const others = [...held].filter((t) => t < S - window);
  return {
    always: [...held].slice(others.length),
    others: others.sort((a, b) => worth(b) - worth(a) || a - b),
  };
}

/** Norm of the attention that the first i = 0, 1, … tokens of each order preserve, mean over the query heads. */
function preservedNorms(trace: LayerTrace, params: DBudgetKvParams, orders: readonly Order[]): Float64Array {
  const { heads, kvHeads, length: S } = trace;
  const attention = lastRows(trace, params); // [H, S]
  const norms = new Float64Array(1 + Math.max(...orders.map(({ others }) => others.length)));
  for (let head = 0; head < heads; head++) {
    const { always, others } = orders[Math.floor(head / (heads / kvHeads))]!;
    const square = (t: number) => attention[head * S + t]! ** 2;
    let sum = params.norm === 'all' ? always.reduce((total, t) => total + square(t), 0) : 0;
    for (let i = 0; i < norms.length; i++) {
      norms[i]! += Math.sqrt(sum) / heads;
      if (i < others.length) sum += square(others[i]!);
    }
  }
  return norms;
}

/** a: attention of the last rows to each token, mean over the rows that see it, `[H, S]`. */
function lastRows(trace: LayerTrace, { rows, heads: averaged }: DBudgetKvParams): Float64Array {
  const { heads, length: S } = trace;
  const w = Math.min(rows, S);
  const mean = observed(trace, windowAttention(rows)); // [H, S], over all w rows
  const attention = Float64Array.from(mean, (x, i) => (x * w) / Math.min(w, S - (i % S)));
  if (averaged === 'attention') {
    for (let t = 0; t < S; t++) {
      let sum = 0;
      for (let head = 0; head < heads; head++) sum += attention[head * S + t]!;
      for (let head = 0; head < heads; head++) attention[head * S + t] = sum / heads;
    }
  }
  return attention;
}

/** The smallest i whose norm falls short of the whole by less than the threshold. */
function tokensNeeded(norms: Float64Array, threshold: number): number {
  const whole = norms.at(-1)!;
  if (!Number.isFinite(whole)) {
    throw new UserError(`dbudgetkv: the norm of the attention is ${whole}`, {
      hint: 'The model produced numbers that are not finite; are its weights whole?',
    });
  }
  return whole === 0 ? 0 : norms.findIndex((norm) => 1 - norm / whole < threshold);
}
