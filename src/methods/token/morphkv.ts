/**
 * MorphKV (arXiv 2503.00979): a cache of constant size that keeps what the most recent tokens attend to.
 *
 * After each token the C older ("distant") tokens stay that the last R tokens attend to most, beside those R. Those R
 * stay as well. Section 3.1 of the paper:
 *
 *   A_u[k]  attention of recent token u to distant token k, the query heads of the KV head taken together
 *   F[k]    = Σ_u A_u[k]   (sum fusion: attended to by all)    or   max_u A_u[k]   (max fusion: by at least one)
 *   keep the C largest F, and the R recent tokens; C + R = budget
 */
import * as z from 'zod';
import type { HeadAttention, LayerPolicy, LayerTrace } from '../../cache/types.js';
import { AttentionRows } from './attention-rows.js';
import { evictFromFirstDecode, evictFromPrefillEnd, liveBudget, surplus } from './live-eviction.js';
import { observed, windowField, windowLogits } from '../observations.js';
import { softmax } from '../softmax.js';
import { budgetFields, checkBudget, expectEvictable, keepsAll } from './token-method.js';
import type { TokenMethod } from '../types.js';

const alwaysKept = (window: number) => ({
  tokens: window + 1,
  of: 'the recent tokens and one distant one are part of the budget',
});

const params = z
  .strictObject({
    ...budgetFields,
    window: windowField
      .default(32)
      .describe('R: newest tokens, which always stay and whose attention ranks the others; 1 to 1024'),
    fusion: z
      .enum(['sum', 'max'])
      .default('sum')
      .describe('how the recent tokens count together: sum of their attention, or the largest'),
    select: z
      .enum(['raw_logit_sum', 'softmax_mean'])
      .default('raw_logit_sum')
      .describe(
        'attention of a KV head: raw_logit_sum = softmax, over the distant tokens that are held, of the sum of its query heads’ logits (released code); softmax_mean = mean of its query heads’ softmax over all that they saw (paper)',
      ),
    evict_at: z
      .enum(['prefill_end', 'first_decode'])
      .default('prefill_end')
      .describe(
        'prefill_end: at the end of the prefill, then after each token; first_decode: before each decoded token (released code). The answers are the same, the latter stores one token more, and the whole prompt until the first',
      ),
  })
  .check(checkBudget(({ window }) => alwaysKept(window)));

type MorphkvParams = z.infer<typeof params>;

export const morphkv = {
  name: 'morphkv',
  axis: 'token',
  summary: 'evicts while decoding: keeps the recent tokens and those that they attend to, in constant memory',
  paper: 'arXiv 2503.00979',
  stores:
    'keys and values of at most budget tokens, prompt and decoded ones, dense; R rows of attention to them, one float32 number per token and row',
  notes: [
    'select=raw_logit_sum is what the released code means to do. With grouped heads it prunes the stored rows and the current attention by other masks than keys and values, so that rows stop belonging to their tokens; that fault is not built.',
    'The released code keeps rows of each query head; their sum is all that the selection reads, and all that is kept and counted here.',
    'select=softmax_mean is the recommended reading of the paper; with sum fusion it first keeps what SnapKV without pooling keeps.',
    'Eviction in bursts (evict_after above 1) is not built.',
    'A ratio is of the prompt: its ⌊S·(1 − ratio)⌋ tokens are the budget, whatever is decoded.',
  ],
  params,
  sizedBy: ['budget', 'ratio'],
  observes: ({ window }) => [windowLogits(window)],
  evictsWhileDecoding: ({ ratio }) => ratio !== 0,
  asksForNothing: (_trace, params, plan) => keepsAll(params, plan),
  plan(trace, params, plan) {
    expectEvictable('morphkv', plan);
    if (params.ratio === 0) return plan;
    const budget = liveBudget('morphkv', params, plan.tokens, alwaysKept(params.window));
    const start = (positions: readonly Int32Array[]): LayerPolicy =>
      layerPolicy(positions.map((held, h) => new MorphkvHead(params, budget, trace, held, h)));
    return params.evict_at === 'prefill_end'
      ? evictFromPrefillEnd(plan, budget, start)
      : evictFromFirstDecode(plan, budget, start);
  },
} satisfies TokenMethod<MorphkvParams>;

function layerPolicy(heads: readonly MorphkvHead[]): LayerPolicy {
  return {
    attended(attention) {
      heads.forEach((head, h) => {
        head.attended(attention[h]!);
      });
    },
    evict: () => heads.map((head) => head.evict()),
    bytes: () => heads.reduce((total, head) => total + head.bytes(), 0),
  };
}

/** One KV head: how many tokens it holds, and the attention of the newest R of them. */
class MorphkvHead {
  private held: number;
  /** A row per recent token over the tokens it saw: summed logits, or mean softmax. */
  private readonly rows: AttentionRows;

  constructor(
    private readonly params: MorphkvParams,
    private readonly budget: number,
    trace: LayerTrace,
    positions: Int32Array,
    h: number,
  ) {
    this.held = positions.length;
    this.rows = new AttentionRows(params.window);
    for (const row of promptRows(trace, params, positions, h)) this.rows.push(row);
  }

  attended({ logits, weights }: HeadAttention): void {
    this.held++;
    const summed = this.params.select === 'raw_logit_sum';
    const group = logits.length / this.held; // G
    const row = new Float32Array(this.held); // [n]
    for (let g = 0; g < group; g++) {
      for (let i = 0; i < row.length; i++) {
        const at = g * row.length + i;
        row[i]! += summed ? logits[at]! : weights[at]! / group;
      }
    }
    this.rows.push(row);
  }

  evict(): number[] {
    const { budget } = this;
    const going = surplus(this.held, { budget, recent: this.params.window }, (n) => this.fused(n));
    this.rows.remove(going);
    this.held -= going.length;
    return going;
  }

  bytes(): number {
    return this.rows.bytes();
  }

  /** F of the n distant tokens. */
  private fused(n: number): Float32Array {
    const { fusion, select } = this.params;
    const fused = new Float64Array(n);
    for (const row of this.rows) {
      const attention = select === 'raw_logit_sum' ? softmax(row.subarray(0, n)) : row;
      for (let k = 0; k < n; k++) {
        fused[k] = fusion === 'sum' ? fused[k]! + attention[k]! : Math.max(fused[k]!, attention[k]!);
      }
    }
    return Float32Array.from(fused);
  }
}

/** The rows of the prompt's last R tokens for KV head h, over those held positions that each of them saw. */
function promptRows(
  trace: LayerTrace,
  { window, select }: MorphkvParams,
  positions: Int32Array,
  h: number,
): Float32Array[] {
  const { heads, kvHeads, length: S } = trace;
  const group = heads / kvHeads; // G
  const logits = observed(trace, windowLogits(window)); // [H, w, S]
  const rows = logits.length / heads / S; // w
  return Array.from({ length: rows }, (_, u) => {
    const together = new Float64Array(S);
    for (let g = 0; g < group; g++) {
      const start = ((h * group + g) * rows + u) * S;
      const own = logits.subarray(start, start + S);
      const attention = select === 'raw_logit_sum' ? own : softmax(own).map((weight) => weight / group);
      for (let t = 0; t < S; t++) together[t]! += attention[t]!;
    }
    const seen = positions.filter((position) => position <= S - rows + u);
    return Float32Array.from(seen, (position) => together[position]!);
  });
}
