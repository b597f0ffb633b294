/** Packed layers: what they decode to, what attention over them gives, and what stays allocated. */
import { expect } from 'chai';
import fc from 'fast-check';
import { sumBytes } from '../../src/cache/bytes.js';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import { PackedSides } from '../../src/cache/packed-sides.js';
import { fullPlan } from '../../src/cache/plan.js';
import { referenceAttention } from '../../src/cache/reference-attention.js';
import type { CacheDtype, LayerCache, LayerPlan, LayerTrace, SidePlan } from '../../src/cache/types.js';
import { UserError } from '../../src/base/errors.js';
import { openKernels } from '../../src/kernels/index.js';
import { cases, makeTrace, randomFrom, randomNumbers, type Case } from './support.js';

const kernels = openKernels();

/** float32 → the nearest number of the format, by arithmetic instead of bits. */
function stored(x: number, dtype: CacheDtype): number {
  if (dtype === 'float32' || x === 0) return x;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 7);
  const scaled = x / unit;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  return (up ? floor + 1 : floor) * unit;
}

/** What a plan means for one side of one KV head, `[n, D]`. */
function meaning({ trace, plan, dtype }: Case, name: 'keys' | 'values', head: number): number[] {
  const { headDim: D, length: S } = trace;
  const side: SidePlan = plan[name];
  const tokens = plan.tokens[head]!;
  return [...tokens].flatMap((position, i) =>
    Array.from({ length: D }, (_, j) => {
      const entry = trace[name][(head * S + position) * D + j]!;
      if (side.codec === 'dense') return stored(entry, dtype);
      if (side.codec === 'channels') {
        const kept = i >= tokens.length - side.recent || side.masks[head]![j] === 1;
        return kept ? stored(entry, dtype) : 0;
      }
      if (side.codec !== 'sparse') throw new Error(`no such sides are drawn here: ${side.codec}`);
      const { mask, fill } = side.heads[head]!;
      const kept = mask[i * D + j] === 1;
      if (fill.kind === 'zero') return kept ? stored(entry, dtype) : 0;
      const scale = stored(fill.scale[i]!, dtype);
      if (fill.kind === 'mean') return kept ? stored(entry, dtype) : scale;
      const recovery = Math.fround(scale * stored(fill.channel[j]!, dtype)) * (entry > 0 ? 1 : -1);
      return kept ? stored(Math.fround(entry - recovery), dtype) + recovery : recovery;
    }),
  );
}

interface Step {
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly queries: Float32Array;
}

function randomStep(trace: LayerTrace, tokens: number, random: () => number): Step {
  const kv = tokens * trace.kvHeads * trace.headDim;
  return {
    keys: randomNumbers(kv, random),
    values: randomNumbers(kv, random),
    queries: randomNumbers(tokens * trace.heads * trace.headDim, random),
  };
}

function attend(cache: LayerCache, { keys, values, queries }: Step, tokens: number): Float32Array {
  const out = new Float32Array(queries.length).fill(NaN);
  cache.append(keys, values, tokens);
  cache.attend(queries, tokens, out);
  return out;
}

/** One token after the other. */
function attendOneByOne(cache: LayerCache, step: Step, tokens: number): Float32Array {
  const out = new Float32Array(step.queries.length);
  const part = (x: Float32Array, t: number): Float32Array =>
    x.subarray((t * x.length) / tokens, ((t + 1) * x.length) / tokens);
  for (let t = 0; t < tokens; t++) {
    const single = {
      keys: part(step.keys, t),
      values: part(step.values, t),
      queries: part(step.queries, t),
    };
    out.set(attend(cache, single, 1), (t * out.length) / tokens);
  }
  return out;
}

/** Largest difference, relative to the size of the numbers. */
function expectClose(got: Float32Array, expected: Float64Array): void {
  const size = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0) / expected.length);
  const worst = got.reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!)), 0);
  expect(worst / (1 + size)).to.be.below(2e-5);
}

function expectSameBits(a: Float32Array, b: Float32Array): void {
  expect(Buffer.compare(bytesOf(a), bytesOf(b))).to.equal(0);
}

function bytesOf(x: Float32Array): Buffer {
  return Buffer.from(x.buffer, x.byteOffset, x.byteLength);
}

describe('encodeLayer', () => {
  it('decodes to exactly what the plan means', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const cache = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        const decoded = cache.decode();
        for (let head = 0; head < c.trace.kvHeads; head++) {
          for (const side of ['keys', 'values'] as const) {
            const expected = Float32Array.from(meaning(c, side, head));
            // −0 + 0 = 0: signs of zero are not part of the meaning
            expect(decoded[side][head]!.map((x) => x + 0)).to.deep.equal(expected.map((x) => x + 0));
          }
        }
        cache.free();
      }),
      { numRuns: 150 },
    );
  });

  it('attends as the plain reference over decode(), step after step', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const cache = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        for (const tokens of [c.tokens, 1, 2]) {
          const step = randomStep(c.trace, tokens, c.random);
          const got = attend(cache, step, tokens);
          expectClose(got, referenceAttention(cache, c.trace, step.queries, tokens));
        }
        cache.free();
      }),
      { numRuns: 150 },
    );
  });

  it('gives a token the same bits whether it comes alone or with others', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const step = randomStep(c.trace, c.tokens, c.random);
        const together = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        const alone = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        expectSameBits(attend(together, step, c.tokens), attendOneByOne(alone, step, c.tokens));
        together.free();
        alone.free();
      }),
      { numRuns: 150 },
    );
  });

  it('gives the same bits across chunks of the tail and for a long suffix', () => {
    const random = randomFrom(5);
    const trace = makeTrace({ heads: 6, kvHeads: 2, headDim: 40, length: 13 }, random);
    const step = randomStep(trace, 75, random);
    const together = encodeLayer(trace, fullPlan(trace), 'bfloat16', kernels);
    const alone = encodeLayer(trace, fullPlan(trace), 'bfloat16', kernels);
    const got = attend(together, step, 75);
    expectSameBits(got, attendOneByOne(alone, step, 75));
    expectClose(got, referenceAttention(together, trace, step.queries, 75));
    together.free();
    alone.free();
  });

  it('takes new tokens in turns where their scores would not fit the scratch', () => {
    const random = randomFrom(6);
    const trace = makeTrace({ heads: 8, kvHeads: 1, headDim: 8, length: 60_000 }, random);
    const tokens = 12; // 8 rows × 60,012 scores × 4 bytes: 8 tokens fit into 16 MiB
    const step = randomStep(trace, tokens, random);
    const together = encodeLayer(trace, fullPlan(trace), 'bfloat16', kernels);
    const alone = encodeLayer(trace, fullPlan(trace), 'bfloat16', kernels);
    expectSameBits(attend(together, step, tokens), attendOneByOne(alone, step, tokens));
    together.free();
    alone.free();
  });

  it('does not depend on what other caches exist', () => {
    fc.assert(
      fc.property(cases, cases, (c, other) => {
        const step = randomStep(c.trace, c.tokens, c.random);
        const first = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        const expected = attend(first, step, c.tokens);
        first.free();
        const neighbour = encodeLayer(other.trace, other.plan, other.dtype, kernels);
        const second = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        attend(neighbour, randomStep(other.trace, other.tokens, other.random), other.tokens);
        expectSameBits(attend(second, step, c.tokens), expected);
        neighbour.free();
        second.free();
      }),
      { numRuns: 60 },
    );
  });

  it('is not disturbed when the memory grows under it', () => {
    const own = openKernels({ maxBytes: 64 * 2 ** 20 });
    const random = randomFrom(7);
    const trace = makeTrace({ heads: 2, kvHeads: 1, headDim: 32, length: 20 }, random);
    const cache = encodeLayer(trace, fullPlan(trace), 'float32', own);
    const step = randomStep(trace, 1, random);
    const before = cache.decode();
    own.memory.alloc(own.memory.byteLength);
    expect(cache.decode()).to.deep.equal(before);
    const got = attend(cache, step, 1);
    expectClose(got, referenceAttention(cache, trace, step.queries, 1));
  });

  it('keeps nan and infinity of the model visible', () => {
    const trace = makeTrace({ heads: 1, kvHeads: 1, headDim: 8, length: 2 }, randomFrom(8));
    trace.keys[3] = NaN;
    const cache = encodeLayer(trace, fullPlan(trace), 'bfloat16', kernels);
    const out = attend(
      cache,
      randomStep(trace, 1, () => 0.3),
      1,
    );
    expect(out[0]).to.be.NaN;
    cache.free();
  });
});

describe('the memory of caches', () => {
  it('is all given back by free, tail included, and free may be called twice', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const before = kernels.memory.bytesInUse;
        const cache = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        attend(cache, randomStep(c.trace, c.tokens, c.random), c.tokens);
        expect(kernels.memory.bytesInUse).to.be.above(before);
        cache.free();
        cache.free();
        expect(kernels.memory.bytesInUse).to.equal(before);
      }),
      { numRuns: 60 },
    );
  });

  it('shares the side that another cache has too, and nothing where tokens or sides differ', () => {
    const trace = makeTrace({ kvHeads: 2, heads: 4, headDim: 16, length: 40 }, randomFrom(5));
    const full = fullPlan(trace);
    const odd = Uint8Array.from({ length: 16 }, (_, j) => j % 2);
    const think = { codec: 'channels', recent: 0, masks: [odd, odd] } as const;
    const fewer = { ...full, tokens: full.tokens.map((kept) => kept.slice(3)) };
    const bytes = (plan: LayerPlan, sides: PackedSides): readonly [LayerCache, number] => {
      const before = kernels.memory.bytesInUse;
      const cache = encodeLayer(trace, plan, 'bfloat16', kernels, sides);
      expect(kernels.memory.bytesInUse - before).to.be.at.least(cache.ownBytes());
      return [cache, cache.ownBytes()];
    };
    const before = kernels.memory.bytesInUse;
    const sides = new PackedSides();
    const [plain, all] = bytes(full, sides);
    const [pruned, keysOnly] = bytes({ ...full, keys: think }, sides);
    const [short, allOfShort] = bytes(fewer, sides);
    expect(all).to.equal(2 * 2 * 40 * 16 * 2);
    expect(keysOnly).to.equal(sumBytes(pruned.bytes()) - all / 2);
    expect(allOfShort).to.equal(sumBytes(short.bytes()));

    const alone = encodeLayer(trace, { ...full, keys: think }, 'bfloat16', kernels);
    plain.free();
    const step = randomStep(trace, 2, randomFrom(3));
    expectSameBits(attend(pruned, step, 2), attend(alone, step, 2));
    for (const cache of [pruned, short, alone]) cache.free();
    expect(kernels.memory.bytesInUse).to.equal(before);
  });

  it('is shared by caches of one prompt, whose tails are their own, until the last is freed', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), (c, firstGoesFirst) => {
        const before = kernels.memory.bytesInUse;
        const alone = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        const [mine, others] = [randomStep(c.trace, c.tokens, c.random), randomStep(c.trace, 1, c.random)];
        const expected = attend(alone, mine, c.tokens);
        alone.free();

        const sides = new PackedSides();
        const first = encodeLayer(c.trace, c.plan, c.dtype, kernels, sides);
        const packed = kernels.memory.bytesInUse;
        const second = encodeLayer(c.trace, c.plan, c.dtype, kernels, sides);
        expect(kernels.memory.bytesInUse).to.equal(packed);
        expect(second.bytes()).to.deep.equal(first.bytes());
        expect([first.ownBytes(), second.ownBytes()]).to.deep.equal([sumBytes(first.bytes()), 0]);
        const [goes, stays] = firstGoesFirst ? [first, second] : [second, first];
        attend(goes, others, 1);
        goes.free();
        goes.free();
        expectSameBits(attend(stays, mine, c.tokens), expected);
        stays.free();
        expect(kernels.memory.bytesInUse).to.equal(before);
      }),
      { numRuns: 60 },
    );
  });

  it('is given back where it runs out half-way', () => {
    const own = openKernels({ maxBytes: 2 ** 18 });
    const trace = makeTrace({ heads: 4, kvHeads: 4, headDim: 64, length: 400 }, randomFrom(9));
    expect(() => encodeLayer(trace, fullPlan(trace), 'bfloat16', own)).to.throw(
      UserError,
      'out of cache memory',
    );
    expect(own.memory.bytesInUse).to.equal(0);
  });

  it('is not read after free', () => {
    const trace = makeTrace({ heads: 1, kvHeads: 1, headDim: 8, length: 1 }, randomFrom(1));
    const cache = encodeLayer(trace, fullPlan(trace), 'bfloat16', kernels);
    cache.free();
    expect(() => cache.decode()).to.throw('after it was freed');
  });
});

describe('misuse of a layer cache', () => {
  const trace = makeTrace({ heads: 2, kvHeads: 1, headDim: 8, length: 3 }, randomFrom(2));

  it('names wrong sizes and token counts', () => {
    const cache = encodeLayer(trace, fullPlan(trace), 'bfloat16', kernels);
    const row = new Float32Array(8);
    expect(() => {
      cache.append(row, row, 2);
    }).to.throw('keys: expected 16 numbers, got 8');
    expect(() => {
      cache.attend(new Float32Array(16), 1, new Float32Array(16));
    }).to.throw('expected 1 to 0 appended tokens');
    cache.append(row, row, 1);
    expect(() => {
      cache.attend(row, 1, row);
    }).to.throw('queries: expected 16 numbers, got 8');
    cache.free();
  });

  it('refuses head widths that the kernels cannot read', () => {
    for (const headDim of [0, 12, 264]) {
      const odd = makeTrace({ heads: 1, kvHeads: 1, headDim, length: 1 }, randomFrom(3));
      expect(() => encodeLayer(odd, fullPlan(odd), 'bfloat16', kernels)).to.throw(
        UserError,
        `head width ${headDim}`,
      );
    }
  });
});
