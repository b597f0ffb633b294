/**
 * KIVI (arXiv 2402.02750): keys in few bits per channel, values in few bits per token, the newest tokens untouched.
 *
 * Section 3, algorithm 1. Keys have outlier channels, values have none, hence the two directions.
 */
import * as z from 'zod';
import { settledTokens } from '../../cache/encode/quantise.js';
import type { Precision } from '../../cache/types.js';
import { refuseUnused } from '../../base/unused-params.js';
import { bitsField, quantised } from './precision.js';
import type { PrecisionMethod } from '../types.js';

const params = refuseUnused(
  z.strictObject({
    bits: bitsField.default(2).describe('bits per entry of keys and values: 2, 4 or 8'),
    key_bits: bitsField.optional().describe('bits per entry of keys: 2, 4 or 8; as `bits` where not given'),
    value_bits: bitsField
      .optional()
      .describe('bits per entry of values: 2, 4 or 8; as `bits` where not given'),
    group: z
      .int()
      .min(1)
      .default(32)
      .describe('tokens of a key channel, and channels of a value, that share a scale; at least 1'),
    residual: z
      .int()
      .min(1)
      .default(128)
      .describe('R, newest tokens that are not quantised (keys: fewer than R); a multiple of group'),
  }),
  {
    bits: {
      when: ({ key_bits, value_bits }) => key_bits === undefined || value_bits === undefined,
      needs: 'key_bits or value_bits left out',
    },
  },
).check((context) => {
  const { group, residual } = context.value;
  if (!(residual % group > 0)) return;
  context.issues.push({
    code: 'custom',
    input: residual,
    path: ['residual'],
    message: `expected a multiple of group (${group}), got ${residual}`,
  });
});

export type KiviParams = z.infer<typeof params>;

export const kivi = {
  name: 'kivi',
  axis: 'precision',
  summary: 'quantises keys per channel and values per token, the newest tokens excepted',
  paper: 'arXiv 2402.02750',
  stores:
    'per entry of an older token: a code of 2, 4 or 8 bits; per group: a scale and a minimum; the newest tokens dense',
  notes: [
    'Defaults are those of the published tables: group 32, residual 128. The memory figures of ThinK + KIVI have residual 32. The authors advise 4 bits for grouped-query models.',
    'Of a prompt of S tokens ⌊S/R⌋·R keys are quantised, none is left dense where R divides S; values keep the last R.',
    'A step attends to the tokens as they were before it; the block that it completes is quantised afterwards.',
    'A prompt of fewer than R tokens is legal: nothing is quantised until decoded tokens have filled the residual.',
    'A group of equal entries has scale 0 and reads as that entry; the released code makes NaN of it.',
    'In bfloat16 minima are rounded down and scales up, so that no entry is clipped; in float32 all numbers are those of the released code.',
    'After think, keys lose their channels when they are quantised, blocks completed while decoding by the same mask; the dense rest keeps all channels, as in ThinK_kivi. There the masks are ranked over the quantised block of the prompt only.',
    'After spark and recalkv, kept entries and latents of the prompt are quantised token by token, keys too; decoded tokens stay dense.',
    'The prefill attends in full precision, as released.',
  ],
  params,
  sizedBy: ['bits', 'key_bits', 'value_bits'],
  observes: () => [],
  asksForNothing: (_trace, params, plan) =>
    [keyPrecision(params), valuePrecision(params)].every((precision) =>
      plan.tokens.every(({ length }) => settledTokens(precision, length) === 0),
    ),
  plan: (_trace, params, plan) => ({
    ...plan,
    keys: quantised('kivi', plan.keys, keyPrecision(params)),
    values: quantised('kivi', plan.values, valuePrecision(params)),
  }),
} satisfies PrecisionMethod<KiviParams>;

function keyPrecision({ bits, key_bits, group, residual }: KiviParams): Precision {
  return { bits: key_bits ?? bits, along: 'channel', group, residual, settle: 'blocks' };
}

function valuePrecision({ bits, value_bits, group, residual }: KiviParams): Precision {
  return { bits: value_bits ?? bits, along: 'token', group, residual, settle: 'sliding' };
}
