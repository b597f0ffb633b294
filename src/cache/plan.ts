/**
 * Layer plans: the one that keeps everything, and the check that a plan can be stored.
 *
 * Decides what a well-formed plan is. A plan that is not is a fault of the method that made it, not of the user.
 */
import type { Fill, LayerPlan, LayerShape, SidePlan } from './types.js';

/** Every position of every KV head, dense. */
export function fullPlan(shape: Pick<LayerShape, 'kvHeads' | 'length'>): LayerPlan {
  const tokens = Array.from({ length: shape.kvHeads }, () =>
    Int32Array.from({ length: shape.length }, (_, t) => t),
  );
  return { tokens, keys: { codec: 'dense' }, values: { codec: 'dense' } };
}

/** Throws Error, naming layer, KV head and side, unless the plan fits the shape. */
export function checkPlan(shape: LayerShape, plan: LayerPlan): void {
  const place = `plan of layer ${shape.layer}`;
  expectLength(plan.tokens, shape.kvHeads, `${place}: lists of kept tokens`);
  plan.tokens.forEach((tokens, head) => {
    let previous = -1;
    for (const position of tokens) {
      if (position <= previous || position >= shape.length) {
        const found = `${position} after ${previous}`;
        const expected = `ascending positions below ${shape.length}`;
        throw new Error(`${place}, KV head ${head}: expected ${expected}, got ${found}`);
      }
      previous = position;
    }
  });
  checkSide(shape, plan.tokens, plan.keys, `${place}, keys`);
  checkSide(shape, plan.tokens, plan.values, `${place}, values`);
}

function checkSide(shape: LayerShape, tokens: readonly Int32Array[], side: SidePlan, place: string): void {
  const width = shape.headDim;
  switch (side.codec) {
    case 'dense':
      return;
    case 'channels':
      if (!Number.isInteger(side.recent) || side.recent < 0) {
        throw new Error(`${place}: expected a whole number of recent tokens, got ${side.recent}`);
      }
      expectLength(side.masks, shape.kvHeads, `${place}: channel masks`);
      side.masks.forEach((mask, head) => {
        checkMask(mask, width, `${place}, KV head ${head}`);
      });
      return;
    case 'sparse':
      expectLength(side.heads, shape.kvHeads, `${place}: sparse heads`);
      side.heads.forEach(({ mask, fill }, head) => {
        const n = tokens[head]!.length;
        checkMask(mask, n * width, `${place}, KV head ${head}`);
        checkFill(fill, n, width, `${place}, KV head ${head}`);
      });
  }
}

function checkMask(mask: Uint8Array, entries: number, place: string): void {
  expectLength(mask, entries, `${place}: mask entries`);
  let bits = 0;
  for (let i = 0; i < mask.length; i++) bits |= mask[i]!;
  if (bits > 1) throw new Error(`${place}: expected a mask of 0 and 1, got bits ${bits.toString(2)}`);
}

function checkFill(fill: Fill, tokens: number, width: number, place: string): void {
  if (fill.kind === 'zero') return;
  expectLength(fill.scale, tokens, `${place}: scales`);
  if (fill.kind === 'signed') expectLength(fill.channel, width, `${place}: channel vector`);
}

function expectLength(list: { readonly length: number }, expected: number, what: string): void {
  if (list.length !== expected) throw new Error(`${what}: expected ${expected}, got ${list.length}`);
}
