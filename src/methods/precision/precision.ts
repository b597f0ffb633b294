/**
 * What methods of the precision axis share.
 *
 * Entries are quantised once; only sides with channels, dense or pruned alike for all tokens, can be quantised along
 * them.
 */
import * as z from 'zod';
import type { Precision, SidePlan } from '../../cache/types.js';
import { UserError } from '../../base/errors.js';

/** Bits of a code. */
export const bitsField = z.literal([2, 4, 8]);

/** The side with its entries quantised. Throws UserError where they are already. */
export function quantised(method: string, side: SidePlan, precision: Precision): SidePlan {
  if (side.precision !== undefined) {
    throw new UserError(`${method} cannot quantise entries that an earlier step has already quantised`, {
      hint: 'Use one method of the precision axis.',
    });
  }
  const hasChannels = side.codec === 'dense' || side.codec === 'channels';
  return { ...side, precision: hasChannels ? precision : { ...precision, along: 'token' } };
}
