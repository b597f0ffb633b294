/**
 * How many channels a ratio keeps.
 *
 * A ratio that prunes nothing, or everything, is a mistake and is told.
 */
import { UserError } from '../../base/errors.js';
import type { Side } from '../types.js';

/** The sides of which channels are pruned. */
export function sidesPruned(pruned: Readonly<Record<Side, boolean>>): Side[] {
  return (['keys', 'values'] as const).filter((side) => pruned[side]);
}

/**
 * T, the channels of `width` that a ratio keeps: D − ⌊λD⌋ (`int`, as the released codes count) or ⌊(1 − λ)D⌋
 * (`floor`, as the papers write). Fails where a ratio above 0 prunes no channel, or all of them.
 */
export function keptChannels(
  method: string,
  ratio: number,
  width: number,
  rounding: 'int' | 'floor' = 'int',
): number {
  const kept = rounding === 'int' ? width - Math.trunc(ratio * width) : Math.floor((1 - ratio) * width);
  if (kept === width && ratio > 0) {
    throw new UserError(`${method}: a ratio of ${ratio} prunes none of ${width} channels`, {
      hint: `The least ratio that prunes a channel is 1/${width}; 0 asks for no pruning.`,
    });
  }
  if (kept === 0) {
    throw new UserError(`${method}: a ratio of ${ratio} keeps none of ${width} channels`, {
      hint: `The greatest ratio that keeps a channel is ${width - 1}/${width}.`,
    });
  }
  return kept;
}
