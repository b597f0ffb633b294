/**
 * A plan of a sliding layer without the tokens that nobody sees any more.
 *
 * A token behind the prompt sees the last W − 1 positions: what a method keeps beyond them would only count as bytes.
 * Alphabet: S prompt tokens, n kept tokens of a KV head, D width, W window.
 */
import { firstInWindow } from './sliding-cache.js';
import type { Fill, LayerPlan, LayerShape, SidePlan } from './types.js';

/**
 * The plan with the kept tokens that the window still reaches. Blocks of tokens that are quantised together stay as the method
 * cut them: then it is given back as it is.
 */
export function withinWindow(
  plan: LayerPlan,
  { length: S, headDim: D }: Pick<LayerShape, 'length' | 'headDim'>,
  window: number,
): LayerPlan {
  const least = firstInWindow(S, window);
  const gone = plan.tokens.map((tokens) => tokens.filter((position) => position < least).length);
  const blocks = [plan.keys, plan.values].some(({ precision }) => precision?.along === 'channel');
  if (blocks || gone.every((count) => count === 0)) return plan;
  return {
    ...plan,
    tokens: plan.tokens.map((tokens, head) => tokens.slice(gone[head])),
    keys: without(plan.keys, gone, D),
    values: without(plan.values, gone, D),
  };
}

/** A side without the oldest tokens of each head. */
function without(side: SidePlan, gone: readonly number[], D: number): SidePlan {
  if (side.codec === 'dense' && side.contents !== undefined) {
    return { ...side, contents: side.contents.map((rows, head) => rows.subarray(gone[head]! * D)) };
  }
  if (side.codec !== 'sparse') return side;
  return {
    ...side,
    heads: side.heads.map(({ mask, fill }, head) => ({
      mask: mask.subarray(gone[head]! * D),
      fill: laterFill(fill, gone[head]!),
    })),
  };
}

function laterFill(fill: Fill, gone: number): Fill {
  return fill.kind === 'zero' ? fill : { ...fill, scale: fill.scale.subarray(gone) };
}
