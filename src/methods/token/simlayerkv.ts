/**
 * SimLayerKV (arXiv 2410.13846): layers that attend to the ends of the prompt only ("lazy" ones) keep nothing else.
 *
 *   m = attention of the last token to the first `initial` and to the `recent` tokens before it, mean over the heads
 *   m > threshold: the layer keeps the first `initial` and the last `recent − 1` tokens; else everything
 */
import * as z from 'zod';
import type { LayerTrace } from '../../cache/types.js';
import { observed, windowAttention } from '../observations.js';
import type { TokenMethod } from '../types.js';
import { expectEvictable } from './token-method.js';

const params = z.strictObject({
  threshold: z
    .number()
    .min(0)
    .max(1)
    .describe(
      'attention above which a layer is lazy, 0 to 1; in the paper Llama-3 0.9, Llama-2 0.65, Mistral 0.8, Qwen 0.85',
    ),
  initial: z.int().min(0).max(65_536).default(4).describe('first tokens that a lazy layer keeps; 0 to 65536'),
  recent: z
    .int()
    .min(2)
    .max(1_048_576)
    .default(1024)
    .describe(
      'tokens before the last one whose attention counts; of them and it recent − 1 stay; 2 to 1048576',
    ),
});

type SimLayerParams = z.infer<typeof params>;

export const simlayerkv = {
  name: 'simlayerkv',
  axis: 'token',
  summary: 'keeps only the ends of the prompt in layers that attend to little else, everything in the others',
  paper: 'arXiv 2410.13846',
  stores:
    'keys and values of the kept tokens, dense; lazy layers keep both ends of the prompt, the others all of it',
  notes: [
    'As in kvpress: lazy layers keep recent − 1 of the newest tokens, the last one among them, and one query decides.',
    'How much is stored is found in the prompt, see keptPerHead in the journal; that no layer is lazy is no error.',
    'A prompt of at most initial + recent tokens stays whole.',
    'The released default threshold is 1: nothing is ever lazy. Here it must be given.',
  ],
  params,
  sizedBy: ['threshold'],
  observes: () => [windowAttention(1)],
  asksForNothing: () => true,
  plan(trace, params, plan) {
    expectEvictable('simlayerkv', plan);
    const { initial, recent } = params;
    const { length: S } = trace;
    if (S <= initial + recent || endMass(trace, params) <= params.threshold) return plan;
    const tokens = plan.tokens.map((held) => held.filter((t) => t < initial || t >= S - (recent - 1)));
    if (tokens.some(({ length }) => length === 0)) return plan;
    return { ...plan, tokens };
  },
} satisfies TokenMethod<SimLayerParams>;

/** m: attention of the last token to both ends. */
export function endMass(
  trace: LayerTrace,
  { initial, recent }: Pick<SimLayerParams, 'initial' | 'recent'>,
): number {
  const { heads: H, length: S } = trace;
  const attention = observed(trace, windowAttention(1)); // [H, S]
  let mass = 0;
  for (let head = 0; head < H; head++) {
    for (let t = 0; t < S - 1; t++) {
      if (t < initial || t >= S - 1 - recent) mass += attention[head * S + t]! / H;
    }
  }
  return mass;
}
