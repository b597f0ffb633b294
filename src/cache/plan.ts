/**
 * Layer plans: the one that keeps everything, and the check that a plan can be stored.
 *
 * A plan that cannot be stored is a fault of the method that made it, and is told as one.
 */
import { wordsOf } from './encode/pack-bits.js';
import type { Fill, LayerPlan, LayerShape, SidePlan } from './types.js';

/** Every position of every KV head, dense. */
export function fullPlan(shape: Pick<LayerShape, 'kvHeads' | 'length'>): LayerPlan {
  const tokens = Array.from({ length: shape.kvHeads }, () => new Int32Array(shape.length).map((_, t) => t));
  return { tokens, keys: { codec: 'dense' }, values: { codec: 'dense' } };
}

/** What a sliding layer holds that no method acts on: the positions that a token behind the prompt sees, dense. */
export function windowPlan(shape: Pick<LayerShape, 'kvHeads' | 'length' | 'window'>): LayerPlan {
  const full = fullPlan(shape);
  const held = heldTokens(shape.length, shape.window);
  return { ...full, tokens: full.tokens.map((tokens) => tokens.slice(shape.length - held)) };
}

/** Of a prompt of `length` tokens: all, or the last W − 1. */
export function heldTokens(length: number, window: number | undefined): number {
  return window === undefined ? length : Math.min(length, window - 1);
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
  if (plan.decode !== undefined && !(isPlain(plan.keys) && isPlain(plan.values))) {
    throw new Error(`${place}: only plain dense keys and values can be evicted while decoding`);
  }
}

export function isPlain(side: SidePlan): boolean {
  return side.codec === 'dense' && side.contents === undefined && side.precision === undefined;
}

/** By layer how far the next token stands from position S, where a step has moved keys; undefined where none has. */
export function shiftsOf(
  plans: readonly Pick<LayerPlan, 'nextPosition'>[],
  length: number,
): number[] | undefined {
  if (plans.every(({ nextPosition }) => nextPosition === undefined)) return undefined;
  return plans.map(({ nextPosition }) => (nextPosition ?? length) - length);
}

function checkSide(shape: LayerShape, tokens: readonly Int32Array[], side: SidePlan, place: string): void {
  const width = shape.headDim;
  checkPrecision(side, place);
  switch (side.codec) {
    case 'latent':
      return;
    case 'dense':
      if (side.contents === undefined) return;
      expectLength(side.contents, shape.kvHeads, `${place}: heads of contents`);
      side.contents.forEach((contents, head) => {
        expectLength(contents, tokens[head]!.length * width, `${place}, KV head ${head}: contents`);
      });
      return;
    case 'channels':
      if (!Number.isInteger(side.recent) || side.recent < 0) {
        throw new Error(`${place}: expected a whole number of recent tokens, got ${side.recent}`);
      }
      if (side.everyToken === true && side.recent > 0) {
        throw new Error(`${place}: every token loses channels, but not the ${side.recent} newest`);
      }
      expectLength(side.masks, shape.kvHeads, `${place}: channel masks`);
      side.masks.forEach((mask, head) => {
        checkMask(mask, width, `${place}, KV head ${head}`);
      });
      if (side.queryMasks !== undefined) checkQueryMasks(shape, side.masks, side.queryMasks, place);
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

function checkPrecision({ precision, codec }: SidePlan, place: string): void {
  if (precision === undefined) return;
  const { group, residual, settle, along } = precision;
  if (!(group >= 1) || residual < 0 || (settle === 'blocks' && residual < 1)) {
    throw new Error(`${place}: groups of ${group} and a residual of ${residual} tokens cannot be quantised`);
  }
  if (along === 'token') return;
  if (settle !== 'blocks' || residual % group !== 0) {
    throw new Error(`${place}: groups of ${group} tokens do not fit into blocks of ${residual}`);
  }
  if (codec === 'sparse' || codec === 'latent') {
    throw new Error(`${place}: ${codec} entries have no channels to quantise along`);
  }
}

/** A KV head's mask must be the union of the masks of its query heads. */
function checkQueryMasks(
  shape: LayerShape,
  masks: readonly Uint8Array[],
  queryMasks: readonly Uint8Array[],
  place: string,
): void {
  expectLength(queryMasks, shape.heads, `${place}: masks of query heads`);
  const group = shape.heads / shape.kvHeads;
  masks.forEach((mask, head) => {
    const mine = queryMasks.slice(head * group, (head + 1) * group);
    for (const one of mine) checkMask(one, shape.headDim, `${place}, query heads of KV head ${head}`);
    if (mask.some((bit, j) => bit !== Number(mine.some((one) => one[j] === 1)))) {
      throw new Error(`${place}, KV head ${head}: its mask is not the union of its query heads' masks`);
    }
  });
}

function checkMask(mask: Uint8Array, entries: number, place: string): void {
  expectLength(mask, entries, `${place}: mask entries`);
  const words = wordsOf(mask);
  let four = 0;
  for (let word = 0; word < words.length; word++) four |= words[word]!;
  let bits = (four | (four >> 8) | (four >> 16) | (four >> 24)) & 0xff;
  for (let i = 4 * words.length; i < mask.length; i++) bits |= mask[i]!;
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
