/**
 * Layer plans: when two of them prune the same, and what a method may still refine.
 *
 * "Changed nothing" means: the same tokens, and on neither side an entry dropped that was held before.
 */
import type { LayerPlan, SidePlan } from '../cache/types.js';
import { UserError } from '../base/errors.js';

/** True where `after`, a refinement of `before`, stores every entry that `before` stores, in the same form. */
export function prunesTheSame(before: LayerPlan, after: LayerPlan): boolean {
  return (
    after.tokens.every((kept, h) => kept.length === before.tokens[h]!.length) &&
    sameSide(before, after, 'keys') &&
    sameSide(before, after, 'values') &&
    before.decode === after.decode
  );
}

function sameSide(before: LayerPlan, after: LayerPlan, side: 'keys' | 'values'): boolean {
  if (before[side] === after[side]) return true;
  return (
    before[side].precision === after[side].precision &&
    dropsNothing(before, side) &&
    dropsNothing(after, side)
  );
}

function dropsNothing(plan: LayerPlan, name: 'keys' | 'values'): boolean {
  const side = plan[name];
  switch (side.codec) {
    case 'dense':
      return side.contents === undefined;
    case 'latent':
      return false;
    case 'channels':
      return side.masks.every((mask, h) => plan.tokens[h]!.length <= side.recent || !mask.includes(0));
    case 'sparse':
      return side.heads.every((head) => !head.mask.includes(0));
  }
}

/**
 * Fails unless the given sides are still as the model made them.
 * Channel masks, scales and latents belong to the tokens that they were made for, so nothing may evict or mask afterwards.
 */
export function expectDense(method: string, hint: string, sides: Readonly<Record<string, SidePlan>>): void {
  for (const [name, side] of Object.entries(sides)) {
    const found = changeOf(side);
    if (found === undefined) continue;
    throw new UserError(`${method} needs dense ${name}, but an earlier step ${found}`, { hint });
  }
}

function changeOf(side: SidePlan): string | undefined {
  if (side.precision !== undefined) return 'has already quantised them';
  switch (side.codec) {
    case 'dense':
      return side.contents === undefined ? undefined : 'has already replaced them';
    case 'latent':
      return 'stores them as latents';
    case 'channels':
    case 'sparse':
      return 'has already pruned their channels';
  }
}
