/**
 * SparK (arXiv 2508.15212): per-token, query-aware pruning of key channels whose pruned entries are recovered.
 *
 * Every kept token is pruned, sinks and observation window included, unless asked otherwise. Unless asked otherwise
 * every kept token is pruned, sinks and observation window included. Section numbers are the paper's.
 *
 *   a_j     = ‖ mean over the G query heads of q_·j ‖₂ over the window         what the queries ask of channel j
 *   w_tj    = a_j · k_tj²                                                      saliency (4.2; the paper: a_j·|k_tj|)
 *   keep the T largest w_t· of each token t
 *   w̃_tj    = μ_t, the mean of the w_tj below the T-th largest                 degenerate recovery (4.3)
 *   k̃_tj    = sign(k_tj) · √(w̃_tj / a_j)                                       the inverse of w (the paper: w̃_tj / a_j)
 */
import * as z from 'zod';
import type { LayerTrace, SidePlan } from '../../cache/types.js';
import { notFinite } from '../../base/not-finite.js';
import { rankRows } from '../../kernels/ranking.js';
import { keptChannels, sidesPruned } from './channels.js';
import { windowField, windowQueries } from '../observations.js';
import { expectDense } from '../plan.js';
import { adaptiveCount } from './spark-adaptive.js';
import { meanFill, sampledKeys, type RankedKeys } from './spark-recovery.js';
import { Saliency } from './spark-saliency.js';
import { pruneValues } from './spark-values.js';
import type { ChannelMethod, Side } from '../types.js';
import { refuseUnused } from '../../base/unused-params.js';

const samples = ({ recovery }: { readonly recovery: string }): boolean =>
  recovery === 'exponential' || recovery === 'normal';

const params = refuseUnused(
  z.strictObject({
    ratio: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe(
        'λ, fraction of the channels of each key pruned, in [0, 1); not given where adaptive decides',
      ),
    adaptive: z
      .enum(['none', 'p', 'g4', 'g5'])
      .default('none')
      .describe(
        'channels kept of a key: none = all keys as ratio says; p = SparK-p, as many as hold the threshold; g4, g5 = SparK-g, 4 or 5 groups of tokens',
      ),
    threshold: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.99)
      .describe(
        'adaptive only: share of the saliency of a key that its most salient channels must pass, in (0, 1)',
      ),
    value_ratio: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('fraction of the channels of each value pruned, in [0, 1); 0 = values stay dense'),
    recovery: z
      .enum(['degenerate', 'none', 'exponential', 'normal'])
      .default('degenerate')
      .describe(
        'what stands in for pruned entries: degenerate = sign and scale, none = zero, exponential, normal = samples, drawn once',
      ),
    clip: z
      .enum(['mean', 'threshold'])
      .default('mean')
      .describe(
        'exponential and normal only: a sample above the least kept saliency becomes the mean of the pruned ones, or that saliency',
      ),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe('exponential and normal only: of the samples; a whole number from 0 to 2³² − 1'),
    recent: z
      .int()
      .min(0)
      .default(0)
      .describe('newest tokens with all channels; at least 0; the released code leaves none'),
    window: windowField
      .default(32)
      .describe('queries at the end of the prompt that rank the channels; 1 to 1024'),
    saliency: z.enum(['released', 'paper']).default('released').describe('released: a·k²; paper: a·|k|'),
    reduce: z
      .enum(['l2', 'mean'])
      .default('l2')
      .describe(
        'queries of the window to a: l2 = norm (released code), mean = absolute value of the mean (paper)',
      ),
    rounding: z
      .enum(['int', 'floor'])
      .default('int')
      .describe('channels kept: int = D − ⌊λD⌋ (released code), floor = ⌊(1 − λ)D⌋ (paper)'),
  }),
  {
    threshold: { when: ({ adaptive }) => adaptive !== 'none', needs: 'adaptive: p, g4 or g5' },
    rounding: { when: ({ adaptive }) => adaptive === 'none', needs: 'ratio' },
    clip: { when: samples, needs: 'recovery: exponential or normal' },
    seed: { when: samples, needs: 'recovery: exponential or normal' },
  },
).check((context) => {
  const { ratio, adaptive } = context.value;
  if ((ratio === undefined) === (adaptive === 'none')) {
    context.issues.push({
      code: 'custom',
      input: context.value,
      path: [],
      message: 'expected either ratio (fraction of the channels pruned) or adaptive (p, g4 or g5)',
    });
  }
});

export type SparkParams = z.infer<typeof params>;

export const spark = {
  name: 'spark',
  axis: 'channel',
  summary: 'prunes key channels token by token by query-aware saliency and recovers them from sign and scale',
  paper: 'arXiv 2508.15212',
  stores:
    'per token: T entries, a mask of D bits, D sign bits and one scale; per KV head: one D-vector; the same for values without signs; with sampled recovery: dense keys',
  notes: [
    'Defaults are the released code, which made the tables: saliency a·k², l2 over the window, D − ⌊λD⌋ channels kept, no token exempt.',
    'saliency=paper, reduce=mean, rounding=floor is what the paper writes.',
    'The mean over the query heads of a KV head is taken of signed queries, as released.',
    'exponential and normal are the released options 0.654 and 0.755, with clip=threshold 0.6556 and 0.7555. Samples go to channels by rank, an order that costs more bits than the channels: keys are stored and counted dense.',
    'Their means and deviations are those of one token, as released, and of all its channels; the paper writes them per head.',
    "Sampling on the keys themselves (options 0.6, 0.7, 0.9) is not built: it mixes up the tokens' distributions, or crashes.",
    'adaptive g4 and g5 group tokens, as the released code and its history do; the paper speaks of groups of channels.',
    'Whether the table of adaptive variants used recovery cannot be told; the released scripts ran them with recovery=none, and with a threshold the code recovers nothing. Here recovery decides, with the least kept saliency of each token.',
    'Pruned values are filled by the mean of their token where recovery=degenerate, else by zero, as released; value_ratio holds with adaptive too, where the code pools the values of a head.',
    'At ratio 0 the released code erases all keys; here it prunes nothing.',
  ],
  params,
  sizedBy: ['ratio', 'value_ratio', 'threshold'],
  observes: (params) => (prunesKeys(params) ? [windowQueries(params.window)] : []),
  prunes,
  asksForNothing: (_trace, params) => prunes(params).length === 0,
  plan(trace, params, plan) {
    let { keys, values } = plan;
    if (prunesKeys(params)) {
      expectDense('spark', 'Prune key channels by one method only.', { keys });
      keys = pruneKeys(trace, params, plan.tokens);
    }
    if (params.value_ratio > 0) {
      expectDense('spark', 'Prune value channels by one method only.', { values });
      values = {
        codec: 'sparse',
        heads: plan.tokens.map((positions, h) => pruneValues(trace, params, positions, h)),
      };
    }
    return { ...plan, keys, values };
  },
} satisfies ChannelMethod<SparkParams>;

function prunesKeys({ ratio, adaptive }: SparkParams): boolean {
  return adaptive !== 'none' || ratio !== 0;
}

function prunes(params: SparkParams): Side[] {
  return sidesPruned({ keys: prunesKeys(params), values: params.value_ratio > 0 });
}

function pruneKeys(trace: LayerTrace, params: SparkParams, tokens: readonly Int32Array[]): SidePlan {
  const { recovery, clip, seed } = params;
  const heads = tokens.map((positions, h) => rankKeys(trace, params, positions, h));
  switch (recovery) {
    case 'none':
      return { codec: 'sparse', heads: heads.map(({ mask }) => ({ mask, fill: { kind: 'zero' } })) };
    case 'degenerate':
      return { codec: 'sparse', heads: heads.map((keys) => ({ mask: keys.mask, fill: meanFill(keys) })) };
    case 'exponential':
    case 'normal':
      return {
        codec: 'dense',
        contents: heads.map((keys, h) => sampledKeys(trace, h, keys, { recovery, clip, seed })),
      };
  }
}

/** Marks the T most salient channels of every key of KV head h. */
function rankKeys(trace: LayerTrace, params: SparkParams, positions: Int32Array, h: number): RankedKeys {
  const D = trace.headDim;
  const n = positions.length;
  const saliency = new Saliency(trace, params, h);
  const countOf = channelCount(params, D);
  const scratch = new Float32Array(D);
  const ranked = rankRows(n, D, (t, w) => {
    if (!Number.isFinite(saliency.of(positions[t]!, w))) {
      throw notFinite(`spark: keys or queries of KV head ${h} are not finite`);
    }
    return t >= n - params.recent ? D : countOf(w, scratch);
  });
  return { saliency, positions, ...ranked };
}

/** T of a token of saliencies `w [D]`; `scratch [D]` is overwritten. */
function channelCount(
  { ratio, adaptive, threshold, rounding }: SparkParams,
  width: number,
): (w: Float32Array, scratch: Float32Array) => number {
  if (adaptive !== 'none') return (w, scratch) => adaptiveCount(w, adaptive, threshold, scratch);
  const kept = keptChannels('spark', ratio!, width, rounding);
  return () => kept;
}
