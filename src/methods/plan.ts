/**
 * Layer plans: when two of them prune the same, and what a method may still refine.
 *
 * Decides what "changed nothing" means: the same tokens, and on neither side an entry dropped that was held
 * before. Knows no method.
 */
import type { LayerPlan, SidePlan } from '../cache/types.js';
import { UserError } from '../errors.js';

/** True where `after`, a refinement of `before`, stores every entry that `before` stores, in the same form. */
export function prunesTheSame(before: LayerPlan, after: LayerPlan): boolean {
  return (
    after.tokens.every((kept, h) => kept.length === before.tokens[h]!.length) &&
    sameSide(before, after, 'keys') &&
    sameSide(before, after, 'values')
  );
}

function sameSide(before: LayerPlan, after: LayerPlan, side: 'keys' | 'values'): boolean {
  return before[side] === after[side] || (dropsNothing(before, side) && dropsNothing(after, side));
}

function dropsNothing(plan: LayerPlan, name: 'keys' | 'values'): boolean {
  const side = plan[name];
  switch (side.codec) {
    case 'dense':
      return true;
    case 'channels':
      return side.masks.every((mask, h) => plan.tokens[h]!.length <= side.recent || !mask.includes(0));
    case 'sparse':
      return side.heads.every((head) => !head.mask.includes(0));
  }
}

/**
 * Fails unless the given sides are still dense.
 * Channel masks belong to the tokens that they were ranked over, so nothing may evict or re-mask afterwards.
 */
export function expectDense(method: string, hint: string, sides: Readonly<Record<string, SidePlan>>): void {
  for (const [name, side] of Object.entries(sides)) {
    if (side.codec !== 'dense') {
      throw new UserError(
        `${method} needs dense ${name}, but an earlier step has already pruned their channels`,
        {
          hint,
        },
      );
    }
  }
}
