/** Plans that cannot be stored are named as the fault of a method. */
import { expect } from 'chai';
import { checkPlan, fullPlan } from '../../src/cache/plan.js';
import type { LayerPlan, LayerShape, SidePlan } from '../../src/cache/types.js';

const shape: LayerShape = { layer: 3, layers: 4, heads: 4, kvHeads: 2, headDim: 8, length: 3 };
const full = fullPlan(shape);

function sparse(change: { mask?: Uint8Array; scale?: Float32Array; channel?: Float32Array }): SidePlan {
  const head = (
    n: number,
  ): { mask: Uint8Array; fill: { kind: 'signed'; scale: Float32Array; channel: Float32Array } } => ({
    mask: change.mask ?? new Uint8Array(n * 8),
    fill: {
      kind: 'signed',
      scale: change.scale ?? new Float32Array(n),
      channel: change.channel ?? new Float32Array(8),
    },
  });
  return { codec: 'sparse', heads: [head(3), head(3)] };
}

describe('checkPlan', () => {
  it('accepts the full plan, an empty one and a well-formed sparse one', () => {
    checkPlan(shape, full);
    checkPlan(shape, { ...full, tokens: [new Int32Array(0), Int32Array.of(0, 2)] });
    checkPlan(shape, { ...full, keys: sparse({}) });
  });

  const wrong: [string, LayerPlan, string][] = [
    ['a head too few', { ...full, tokens: [Int32Array.of(0)] }, 'lists of kept tokens: expected 2, got 1'],
    [
      'descending',
      { ...full, tokens: [full.tokens[0]!, Int32Array.of(1, 0)] },
      'layer 3, KV head 1: expected ascending',
    ],
    ['repeated', { ...full, tokens: [Int32Array.of(1, 1), full.tokens[1]!] }, 'got 1 after 1'],
    ['out of range', { ...full, tokens: [Int32Array.of(3), full.tokens[1]!] }, 'below 3, got 3'],
    ['negative', { ...full, tokens: [Int32Array.of(-1), full.tokens[1]!] }, 'got -1 after -1'],
    [
      'mask size',
      { ...full, keys: sparse({ mask: new Uint8Array(23) }) },
      'keys, KV head 0: mask entries: expected 24, got 23',
    ],
    [
      'mask bits',
      { ...full, values: sparse({ mask: new Uint8Array(24).fill(2) }) },
      'values, KV head 0: expected a mask of 0 and 1',
    ],
    ['scales', { ...full, keys: sparse({ scale: new Float32Array(2) }) }, 'scales: expected 3, got 2'],
    [
      'channel',
      { ...full, keys: sparse({ channel: new Float32Array(3) }) },
      'channel vector: expected 8, got 3',
    ],
    ['recent', { ...full, keys: { codec: 'channels', masks: [], recent: -1 } }, 'recent tokens, got -1'],
    [
      'masks',
      { ...full, keys: { codec: 'channels', masks: [new Uint8Array(8)], recent: 0 } },
      'channel masks: expected 2, got 1',
    ],
    ['heads', { ...full, keys: { codec: 'sparse', heads: [] } }, 'sparse heads: expected 2, got 0'],
  ];
  for (const [name, plan, message] of wrong) {
    it(`refuses: ${name}`, () => {
      expect(() => {
        checkPlan(shape, plan);
      }).to.throw(message);
    });
  }
});
