/**
 * Kept keys moved to positions without gaps, as if the kept tokens were the prompt (KeyRerotation of kvpress).
 *
 * A key is rotated by the angle between its old and its new position; the factor that YaRN multiplies keys by is in them
 * already.
 */
import type { LayerPlan, LayerTrace, RopeAngles } from '../cache/types.js';
import type { ModelConfig } from '../checkpoint/types.js';
import { dependsOnLength } from '../checkpoint/rope-frequencies.js';
import { expectDense } from './plan.js';

/**
 * The plan with every KV head's n kept keys at the n positions before `nextPosition`, the largest n; where heads keep the same
 * number, at 0 … n − 1.
 *
 * @throws UserError where keys are not as the model made them
 */
export function withMovedKeys(method: string, trace: LayerTrace, plan: LayerPlan): LayerPlan {
  expectDense(method, 'Move keys before anything else is done to them.', { keys: plan.keys });
  const { headDim: D, length: S, keys, rotation } = trace;
  const nextPosition = Math.max(...plan.tokens.map(({ length }) => length));
  if (rotation === undefined) return { ...plan, nextPosition };
  const contents = plan.tokens.map((held, h) => {
    const moved = new Float32Array(held.length * D); // [n, D]
    held.forEach((position, t) => {
      moved.set(keys.subarray((h * S + position) * D, (h * S + position + 1) * D), t * D);
      rotateBy(rotation, moved, t * D, nextPosition - held.length + t - position);
    });
    return moved;
  });
  return { ...plan, keys: { codec: 'dense', contents }, nextPosition };
}

/** Rotates the vector at `offset` by so many positions, in place. */
function rotateBy(
  { frequencies, pairing }: RopeAngles,
  x: Float32Array,
  offset: number,
  positions: number,
): void {
  const half = frequencies.length;
  for (let j = 0; j < half; j++) {
    const [low, high] =
      pairing === 'half' ? [offset + j, offset + j + half] : [offset + 2 * j, offset + 2 * j + 1];
    const angle = positions * frequencies[j]!;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [a, b] = [x[low]!, x[high]!];
    x[low] = a * cos - b * sin;
    x[high] = b * cos + a * sin;
  }
}

/**
 * Why keys of some layers cannot be moved in a model, its name comes before the reason; undefined where they can.
 *
 * @param acts whether the step acts on a layer
 */
export function movingObjection(
  method: string,
  { windows, ropes }: ModelConfig,
  acts: (window: number | undefined) => boolean,
): string | undefined {
  if (windows.some((window) => window !== undefined && acts(window))) {
    return `has sliding layers, whose windows count positions of the prompt: ${method} cannot move keys there`;
  }
  if (ropes.some((rope, l) => rope !== undefined && dependsOnLength(rope) && acts(windows[l]))) {
    return `rotates keys by angles that depend on the length: ${method} cannot move them`;
  }
  return undefined;
}
