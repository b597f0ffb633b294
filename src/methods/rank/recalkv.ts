/**
 * ReCalKV (arXiv 2505.24357): keys and values are cached as low-rank latents and rebuilt for attention.
 *
 * Both sides of every kept token are latents. The projections are factored before anything runs (`recalkv/` has the
 * mathematics, `src/calibration` runs it), so a prefill of its own belongs to it.
 */
import * as z from 'zod';
import { expectDense } from '../plan.js';
import type { RankMethod } from '../types.js';
import { refuseUnused } from '../../base/unused-params.js';

const params = refuseUnused(
  z.strictObject({
    ratio: z
      .number()
      .gt(0)
      .lt(1)
      .describe(
        'fraction of the cached channels removed, in (0, 1); the released code names the fraction kept',
      ),
    ranks: z
      .enum(['fisher_uniform', 'fisher', 'uniform'])
      .default('fisher_uniform')
      .describe(
        'who gets the ranks: fisher_uniform: projections by their Fisher score, groups of one alike (published); fisher: groups by their score; uniform: all alike',
      ),
    group: z
      .int()
      .min(1)
      .default(4)
      .describe('KV heads that share a latent of the keys; divides the KV heads, capped at their number'),
    multiple: z
      .int()
      .min(1)
      .default(32)
      .describe(
        'ranks are rounded to multiples of this, in latent channels; 32 as released, less for small models',
      ),
    grouping: z
      .enum(['released', 'strict'])
      .default('released')
      .describe(
        'how similar heads gather: released: a pair may enter a group with one free slot and is repaired later; strict: only one with two',
      ),
    whitening: z
      .enum(['svd', 'cholesky'])
      .default('svd')
      .describe('root of the activation covariance in which heads are compared; svd as released'),
    iterations: z
      .int()
      .min(0)
      .max(10)
      .default(1)
      .describe('alternations of the value calibration, 0 to 10; 0 leaves it out'),
    samples: z.int().min(1).max(4096).default(32).describe('sequences of calibration text; 1 to 4096'),
    length: z.int().min(2).max(32_768).default(512).describe('tokens of each sequence; 2 to 32,768'),
    seed: z.int().min(0).default(3).describe('draws the sequences from the text; at least 0'),
    text: z
      .string()
      .min(1)
      .optional()
      .describe(
        'path of a UTF-8 text to calibrate on; without it, the State of the Union addresses that ship',
      ),
  }),
  {
    grouping: { when: ({ group }) => group > 1, needs: 'a group above 1' },
    whitening: { when: ({ group }) => group > 1, needs: 'a group above 1' },
  },
);

export type RecalkvParams = z.infer<typeof params>;

export const recalkv = {
  name: 'recalkv',
  axis: 'rank',
  summary: 'caches low-rank latents of keys and values, found offline on calibration text',
  paper: 'arXiv 2505.24357',
  stores:
    'per token: one latent for each group of KV heads of the keys (before RoPE), one for all values; positions where tokens were evicted',
  notes: [
    'ratio is the fraction removed, as the paper counts; the released code takes the fraction kept. Ranks are rounded to `multiple`, so the fraction that is really removed may differ: see memory.csv.',
    'The published tables calibrate on 256 sequences of 2,048 tokens of WikiText-2; the default here is 32 × 512 tokens of text that ships, to run on a laptop.',
    'The released accuracy path rebuilds keys and values and caches those; here the latents are what is stored, and attention rebuilds 128 rows at a time.',
    'Values are rebuilt as well: the paper fuses their up-projection into the output projection, which makes its input r·H wide (H query heads). Rebuilding costs r·D multiplications per token and KV head in every step, and so do the keys in both.',
    'The up-projections are weights, shared by all samples; their bytes are not counted.',
    'Activations behind compressed layers are collected layer by layer; the released code reads wrong ones from the third layer on, and sums them over batches.',
    'The released Fisher scores shift the labels twice (they score the token after next); here it is the ordinary loss.',
    'Models that normalise key heads (Qwen3) are refused: their keys are not linear in a latent.',
  ],
  params,
  sizedBy: ['ratio'],
  observes: () => [],
  weights: (request) => ({ kind: 'recalkv', params: request }),
  asksForNothing: () => false,
  plan(_trace, _params, plan) {
    expectDense('recalkv', 'Latents take the place of whole keys and values.', {
      keys: plan.keys,
      values: plan.values,
    });
    return { ...plan, keys: { codec: 'latent' }, values: { codec: 'latent' } };
  },
} satisfies RankMethod<RecalkvParams>;

/** The validated parameters of a request for weights. */
export function recalkvParams(request: Readonly<Record<string, unknown>>): RecalkvParams {
  return params.parse(request);
}
