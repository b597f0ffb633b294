/** Random layers and plans for cache tests, drawn from a seed so that failures replay. */
import { onceByName } from '../../src/cache/once.js';
import fc from 'fast-check';
import type { CacheDtype, Fill, LayerPlan, LayerTrace, SidePlan } from '../../src/cache/types.js';

export interface Case {
  readonly trace: LayerTrace;
  readonly plan: LayerPlan;
  readonly dtype: CacheDtype;
  /** Appended in this many calls of `tokens` tokens. */
  readonly tokens: number;
  readonly random: () => number;
}

const side = fc.record({
  codec: fc.constantFrom('dense' as const, 'channels' as const, 'sparse' as const),
  fill: fc.constantFrom('zero' as const, 'signed' as const, 'mean' as const),
  recent: fc.constantFrom(0, 1, 3, 100),
  /** Kept share of channels; undefined: another one for every token. */
  kept: fc.constantFrom(0, 0.2, 0.5, 1, undefined),
});
type SideChoice = typeof side extends fc.Arbitrary<infer T> ? T : never;

export const cases: fc.Arbitrary<Case> = fc
  .record({
    seed: fc.nat(),
    dtype: fc.constantFrom('bfloat16' as const, 'float32' as const),
    headDim: fc.constantFrom(8, 32, 40, 64, 80, 96, 128, 256),
    kvHeads: fc.integer({ min: 1, max: 3 }),
    group: fc.integer({ min: 1, max: 8 }),
    length: fc.integer({ min: 1, max: 45 }),
    /** Share of tokens kept, per head drawn below it. */
    tokensKept: fc.constantFrom(0, 0.5, 1),
    tokens: fc.integer({ min: 1, max: 8 }),
    keys: side,
    values: side,
  })
  .map((c) => {
    const random = randomFrom(c.seed);
    const trace = makeTrace({ ...c, heads: c.group * c.kvHeads }, random);
    const tokens = Array.from({ length: c.kvHeads }, () => {
      const share = c.tokensKept === 0.5 ? random() : c.tokensKept;
      return Int32Array.from({ length: c.length }, (_, t) => t).filter(() => random() < share);
    });
    const plan = {
      tokens,
      keys: makeSide(c.keys, tokens, c.headDim, random),
      values: makeSide(c.values, tokens, c.headDim, random),
    };
    return { trace, plan, dtype: c.dtype, tokens: c.tokens, random };
  });

export function makeTrace(
  shape: Pick<LayerTrace, 'heads' | 'kvHeads' | 'headDim' | 'length'>,
  random: () => number,
): LayerTrace {
  const { heads, kvHeads, headDim, length } = shape;
  const size = kvHeads * length * headDim;
  return {
    layer: 0,
    layers: 1,
    heads,
    kvHeads,
    headDim,
    length,
    keys: randomNumbers(size, random),
    values: randomNumbers(size, random),
    observations: new Map(),
    once: onceByName(),
  };
}

function makeSide(
  choice: SideChoice,
  tokens: readonly Int32Array[],
  width: number,
  random: () => number,
): SidePlan {
  if (choice.codec === 'dense') return { codec: 'dense' };
  const keep = (share: number): 0 | 1 => (random() < share ? 1 : 0);
  if (choice.codec === 'channels') {
    const masks = tokens.map(() => Uint8Array.from({ length: width }, () => keep(choice.kept ?? 0.7)));
    return { codec: 'channels', masks, recent: choice.recent };
  }
  const heads = tokens.map(({ length: n }) => {
    const shares = Array.from({ length: n }, () => choice.kept ?? random());
    const mask = Uint8Array.from({ length: n * width }, (_, i) => keep(shares[Math.floor(i / width)]!));
    return { mask, fill: makeFill(choice.fill, n, width, random) };
  });
  return { codec: 'sparse', heads };
}

function makeFill(kind: Fill['kind'], n: number, width: number, random: () => number): Fill {
  const scale = randomNumbers(n, random);
  switch (kind) {
    case 'zero':
      return { kind };
    case 'mean':
      return { kind, scale };
    case 'signed':
      return { kind, scale: scale.map(Math.abs), channel: randomNumbers(width, random).map(Math.abs) };
  }
}

/** Numbers in (−2, 2), some of them exactly 0, −0 or tiny. */
export function randomNumbers(count: number, random: () => number): Float32Array {
  return Float32Array.from({ length: count }, () => {
    const kind = random();
    const x = 4 * random() - 2;
    return kind < 0.02 ? 0 : kind < 0.04 ? -0 : kind < 0.06 ? x * 1e-12 : x;
  });
}

/** mulberry32: numbers in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z = (z + Math.imul(z ^ (z >>> 7), z | 61)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}
