/**
 * Plain quantisation: every entry in few bits, token by token, nothing excepted. The baseline of the precision axis.
 *
 * Keys and values are treated alike, and each token is quantised as soon as it has attended.
 */
import * as z from 'zod';
import type { Precision } from '../../cache/types.js';
import { bitsField, quantised } from './precision.js';
import type { PrecisionMethod } from '../types.js';

const params = z.strictObject({
  bits: bitsField.default(8).describe('bits per entry: 2, 4 or 8'),
  group: z
    .int()
    .min(1)
    .optional()
    .describe(
      'stored entries of a token in one KV head that share a scale; at least 1; all of them where not given',
    ),
});

type QuantParams = z.infer<typeof params>;

export const quant = {
  name: 'quant',
  axis: 'precision',
  summary: 'quantises keys and values token by token',
  paper: 'round-to-nearest, as the baseline of arXiv 2402.02750',
  stores: 'per entry: a code of 2, 4 or 8 bits; per group of a token: a scale and a minimum',
  notes: [
    'Asymmetric: code = round((x − min) / scale), scale = (max − min) / (2^bits − 1).',
    'Entries that an earlier method keeps are quantised and nothing else changes: pruned channels stay pruned, and tokens with all channels keep them.',
    'Decoded tokens are quantised once they have attended; after spark and recalkv they stay dense.',
    'The prefill attends in full precision.',
  ],
  params,
  sizedBy: ['bits'],
  observes: () => [],
  asksForNothing: () => false,
  plan(_trace, { bits, group = Infinity }, plan) {
    const precision: Precision = { bits, along: 'token', group, residual: 0, settle: 'sliding' };
    return {
      ...plan,
      keys: quantised('quant', plan.keys, precision),
      values: quantised('quant', plan.values, precision),
    };
  },
} satisfies PrecisionMethod<QuantParams>;
