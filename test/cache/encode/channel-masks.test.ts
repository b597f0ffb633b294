/** What the channels and dense codecs can do beyond one mask: masks of query heads, pruned tails, other contents. */
import { expect } from 'chai';
import fc from 'fast-check';
import { paperBytes, sumBytes } from '../../../src/cache/bytes.js';
import { encodeLayer } from '../../../src/cache/layer-cache.js';
import { checkPlan, fullPlan } from '../../../src/cache/plan.js';
import { referenceAttention } from '../../../src/cache/reference-attention.js';
import { CHUNK_TOKENS } from '../../../src/cache/rows/tail.js';
import type { LayerCache, LayerPlan, LayerTrace, Precision, SidePlan } from '../../../src/cache/types.js';
import { openKernels } from '../../../src/kernels/index.js';
import { makeTrace, randomFrom, randomNumbers } from '../support.js';

const kernels = openKernels();

type ChannelsPlan = SidePlan & { readonly codec: 'channels' };

const layers = fc.record({
  seed: fc.nat(),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 5 }),
  headDim: fc.constantFrom(8, 40, 64, 128),
  length: fc.integer({ min: 1, max: 40 }),
  /** Kept share of the channels of a query head. */
  kept: fc.constantFrom(0, 0.2, 0.5, 1),
  form: fc.constantFrom({ recent: 0 }, { recent: 3 }, { recent: 100 }, { recent: 0, everyToken: true }),
  sides: fc.constantFrom(['keys'] as const, ['values'] as const, ['keys', 'values'] as const),
});

interface MaskedLayer {
  readonly trace: LayerTrace;
  readonly plan: LayerPlan;
  readonly random: () => number;
}

function maskedLayer(c: typeof layers extends fc.Arbitrary<infer T> ? T : never): MaskedLayer {
  const random = randomFrom(c.seed);
  const trace = makeTrace({ ...c, heads: c.group * c.kvHeads }, random);
  const side = (): ChannelsPlan => {
    const queryMasks = Array.from({ length: trace.heads }, () =>
      Uint8Array.from({ length: c.headDim }, () => Number(random() < c.kept)),
    );
    return { codec: 'channels', masks: unions(queryMasks, c.group), queryMasks, ...c.form };
  };
  const full = fullPlan(trace);
  const tokens = full.tokens.map((all) => all.filter(() => random() < 0.8));
  const plan = { ...full, tokens, ...Object.fromEntries(c.sides.map((name) => [name, side()])) };
  return { trace, plan, random };
}

function unions(queryMasks: readonly Uint8Array[], group: number): Uint8Array[] {
  return Array.from({ length: queryMasks.length / group }, (_, h) => {
    const mine = queryMasks.slice(h * group, (h + 1) * group);
    return mine[0]!.map((_, j) => Number(mine.some((mask) => mask[j] === 1)));
  });
}

/** The plan in which the masks of the g-th query head of every group are those of its KV head. */
function asReadBy(plan: LayerPlan, g: number, group: number): LayerPlan {
  const own = (side: SidePlan): SidePlan =>
    side.codec !== 'channels'
      ? side
      : { ...side, masks: side.queryMasks!.filter((_, h) => h % group === g), queryMasks: undefined };
  return { ...plan, keys: own(plan.keys), values: own(plan.values) };
}

interface Step {
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly queries: Float32Array;
}

function randomStep({ trace, random }: MaskedLayer, tokens: number): Step {
  const size = tokens * trace.headDim;
  return {
    keys: randomNumbers(size * trace.kvHeads, random),
    values: randomNumbers(size * trace.kvHeads, random),
    queries: randomNumbers(size * trace.heads, random),
  };
}

function attend(cache: LayerCache, { keys, values, queries }: Step, tokens: number): Float32Array {
  const out = new Float32Array(queries.length).fill(NaN);
  cache.append(keys, values, tokens);
  cache.attend(queries, tokens, out);
  return out;
}

function expectClose(got: Float32Array, expected: Float64Array): void {
  expect(got.reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!)), 0)).to.be.below(5e-5);
}

describe('masks of query heads', () => {
  it('each query head attends as if its own mask were the one of its KV head', () => {
    fc.assert(
      fc.property(layers, (c) => {
        const layer = maskedLayer(c);
        const { trace, plan } = layer;
        const cache = encodeLayer(trace, plan, 'float32', kernels);
        const own = Array.from({ length: c.group }, (_, g) =>
          encodeLayer(trace, asReadBy(plan, g, c.group), 'float32', kernels),
        );
        for (const tokens of [3, 1]) {
          const step = randomStep(layer, tokens);
          const got = attend(cache, step, tokens);
          own.forEach((one, g) => {
            one.append(step.keys, step.values, tokens);
            const expected = referenceAttention(one, trace, step.queries, tokens);
            const mine = (i: number): boolean => Math.floor(i / c.headDim) % c.group === g;
            expectClose(
              got.filter((_, i) => mine(i)),
              expected.filter((_, i) => mine(i)),
            );
          });
        }
        for (const one of [cache, ...own]) one.free();
      }),
      { numRuns: 60 },
    );
  });

  it('give a token the same bits whether it comes alone or with others', () => {
    fc.assert(
      fc.property(layers, (c) => {
        const layer = maskedLayer(c);
        const step = randomStep(layer, 4);
        const [together, alone] = [0, 1].map(() => encodeLayer(layer.trace, layer.plan, 'bfloat16', kernels));
        const got = attend(together!, step, 4);
        for (let t = 0; t < 4; t++) {
          const of = (x: Float32Array) => x.subarray((t * x.length) / 4, ((t + 1) * x.length) / 4);
          const [keys, values, queries] = [of(step.keys), of(step.values), of(step.queries)];
          expect(attend(alone!, { keys, values, queries }, 1)).to.deep.equal(new Float32Array(of(got)));
        }
        together!.free();
        alone!.free();
      }),
      { numRuns: 40 },
    );
  });

  it('store the channels of any of them once, and G masks', () => {
    const trace = makeTrace({ heads: 4, kvHeads: 2, headDim: 64, length: 10 }, randomFrom(1));
    const first = (from: number, to: number) =>
      Uint8Array.from({ length: 64 }, (_, j) => Number(j >= from && j < to));
    const queryMasks = [first(0, 16), first(8, 24), first(0, 16), first(0, 16)];
    const keys: SidePlan = { codec: 'channels', masks: unions(queryMasks, 2), queryMasks, recent: 4 };
    const plan = { ...fullPlan(trace), keys };
    const cache = encodeLayer(trace, plan, 'bfloat16', kernels);
    const values = 2 * 10 * 64;
    expect(cache.bytes()).to.include({
      value: 2 * (6 * 24 + 6 * 16 + 2 * 4 * 64 + values),
      mask: 2 * 3 * 8,
    });
    // the papers' own count: each query head's channels, as if the group shared one mask
    expect(paperBytes(trace, plan, 'bfloat16')).to.equal(2 * (2 * 6 * 16 + 2 * 4 * 64 + values));
    cache.free();
  });
});

describe('channels that every token loses', () => {
  const trace = makeTrace({ heads: 2, kvHeads: 2, headDim: 16, length: 9 }, randomFrom(2));
  const masks = [7, 12].map((kept) => Uint8Array.from({ length: 16 }, (_, j) => Number(j < kept)));
  const pruned: SidePlan = { codec: 'channels', masks, recent: 0, everyToken: true };

  it('decoded tokens hold only the kept channels', () => {
    const before = kernels.memory.bytesInUse;
    const cache = encodeLayer(trace, { ...fullPlan(trace), values: pruned }, 'float32', kernels);
    expect(cache.bytes()).to.include({ value: 4 * 9 * (2 * 16 + 7 + 12), mask: 2 * 2 });
    const step = randomStep({ trace, plan: fullPlan(trace), random: randomFrom(3) }, 2);
    cache.append(step.keys, step.values, 2);
    expect(cache.tailBytes()).to.equal(4 * CHUNK_TOKENS * (2 * 16 + 7 + 12));
    cache.decode().values.forEach((rows, h) => {
      expect(rows).to.have.length(11 * 16);
      for (let t = 9; t < 11; t++) {
        for (let j = 0; j < 16; j++) {
          const appended = step.values[((t - 9) * 2 + h) * 16 + j]!;
          expect(rows[t * 16 + j]).to.equal(masks[h]![j] === 1 ? appended : 0);
        }
      }
    });
    cache.free();
    expect(kernels.memory.bytesInUse).to.equal(before);
  });

  for (const settle of ['blocks', 'sliding'] as const) {
    it(`what is left can be quantised, ${settle}: it attends as it decodes, pruned channels 0`, () => {
      const precision: Precision = { bits: 8, along: 'token', group: 8, residual: 4, settle };
      const plan = { ...fullPlan(trace), values: { ...pruned, precision } };
      const cache = encodeLayer(trace, plan, 'float32', kernels);
      const layer = { trace, plan, random: randomFrom(4) };
      for (let n = 0; n < 9; n++) {
        const step = randomStep(layer, 1);
        cache.append(step.keys, step.values, 1);
        const expected = referenceAttention(cache, trace, step.queries, 1);
        const out = new Float32Array(step.queries.length);
        cache.attend(step.queries, 1, out);
        expectClose(out, expected);
      }
      const { values } = cache.decode();
      values.forEach((rows, h) => {
        expect(rows).to.have.length(18 * 16);
        rows.forEach((x, i) => {
          if (masks[h]![i % 16] === 0) expect(x).to.equal(0);
        });
      });
      expect(cache.bytes().value).to.be.below(4 * 9 * (2 * 16 + 7 + 12));
      cache.free();
    });
  }
});

describe('dense contents', () => {
  const trace = makeTrace({ heads: 2, kvHeads: 2, headDim: 8, length: 5 }, randomFrom(5));
  const tokens = [Int32Array.of(0, 3), Int32Array.of(1, 2, 4)];
  const contents = tokens.map(({ length }) => randomNumbers(length * 8, randomFrom(6)));

  it('stand in place of the kept entries, and are counted as such', () => {
    const plan: LayerPlan = { ...fullPlan(trace), tokens, keys: { codec: 'dense', contents } };
    const cache = encodeLayer(trace, plan, 'float32', kernels);
    expect(cache.decode().keys).to.deep.equal(contents);
    expect(cache.decode().values[1]!.subarray(0, 8)).to.deep.equal(trace.values.subarray(6 * 8, 7 * 8));
    expect(sumBytes(cache.bytes())).to.equal(4 * 2 * 5 * 8);
    expect(paperBytes(trace, plan, 'float32')).to.equal(4 * 2 * 5 * 8);
    cache.free();
  });

  it('can be quantised', () => {
    const precision: Precision = { bits: 8, along: 'token', group: 8, residual: 0, settle: 'sliding' };
    const plan: LayerPlan = { ...fullPlan(trace), tokens, keys: { codec: 'dense', contents, precision } };
    const cache = encodeLayer(trace, plan, 'float32', kernels);
    cache.decode().keys.forEach((rows, h) => {
      rows.forEach((x, i) => {
        expect(x).to.be.closeTo(contents[h]![i]!, 4 / 255);
      });
    });
    cache.free();
  });
});

describe('checkPlan of masks and contents', () => {
  const shape = { layer: 3, layers: 4, heads: 4, kvHeads: 2, headDim: 8, length: 3 };
  const full = fullPlan(shape);
  const mask = (...kept: number[]) => Uint8Array.from({ length: 8 }, (_, j) => Number(kept.includes(j)));
  const channels = (change: Partial<ChannelsPlan>): SidePlan => ({
    codec: 'channels',
    masks: [mask(0, 1), mask(2)],
    queryMasks: [mask(0), mask(1), mask(2), mask(2)],
    recent: 0,
    ...change,
  });

  it('accepts unions', () => {
    checkPlan(shape, { ...full, keys: channels({}), values: channels({ everyToken: true }) });
  });

  const wrong: [string, SidePlan, string][] = [
    [
      'a channel too many',
      channels({ masks: [mask(0, 1, 2), mask(2)] }),
      'KV head 0: its mask is not the union',
    ],
    ['a channel too few', channels({ masks: [mask(0, 1), mask()] }), 'KV head 1: its mask is not the union'],
    ['a mask too few', channels({ queryMasks: [mask(0)] }), 'masks of query heads: expected 4, got 1'],
    ['newest tokens apart', channels({ recent: 2, everyToken: true }), 'but not the 2 newest'],
    [
      'contents of another size',
      { codec: 'dense', contents: [new Float32Array(24), new Float32Array(23)] },
      'KV head 1: contents: expected 24, got 23',
    ],
    [
      'contents of a head too few',
      { codec: 'dense', contents: [new Float32Array(24)] },
      'heads of contents: expected 2, got 1',
    ],
  ];
  for (const [name, keys, message] of wrong) {
    it(`refuses: ${name}`, () => {
      expect(() => {
        checkPlan(shape, { ...full, keys });
      }).to.throw(message);
    });
  }
});
