/** Caches that evict while decoding, against a simulation of the same steps in float64. */
import { expect } from 'chai';
import fc from 'fast-check';
import { sumBytes } from '../../src/cache/bytes.js';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import { fullPlan } from '../../src/cache/plan.js';
import type { DecodePolicy, HeadAttention, LayerPlan } from '../../src/cache/types.js';
import { UserError } from '../../src/base/errors.js';
import { openKernels } from '../../src/kernels/index.js';
import { attend, expectClose, newest, randomTokens, scattered, Simulation } from './live-simulation.js';
import { makeTrace, randomFrom } from './support.js';

const kernels = openKernels();

const cases = fc.record({
  seed: fc.nat(),
  dtype: fc.constantFrom('bfloat16' as const, 'float32' as const),
  evicts: fc.constantFrom('after_attention' as const, 'before_attention' as const),
  headDim: fc.constantFrom(8, 32, 40, 64, 128),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 8 }),
  length: fc.integer({ min: 1, max: 45 }),
  budget: fc.integer({ min: 1, max: 60 }),
  calls: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
});

type Choice = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** With `after_attention` the prompt is within the budget already, as a method would leave it. */
function setUp(c: Choice, log?: (readonly HeadAttention[])[]) {
  const random = randomFrom(c.seed);
  const trace = makeTrace({ ...c, heads: c.group * c.kvHeads }, random);
  const most = c.evicts === 'after_attention' ? c.budget : Infinity;
  const tokens = fullPlan(trace).tokens.map((all) =>
    all.filter((t) => random() < 0.7 || t === 0).slice(0, most),
  );
  const plan: LayerPlan = { ...fullPlan(trace), tokens, decode: scattered(c.budget, c.evicts, c.seed, log) };
  return { trace, plan, random };
}

describe('a cache that evicts while decoding', () => {
  it('attends, shows its policy the attention, and holds the same rows as a simulation', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const log: (readonly HeadAttention[])[] = [];
        const { trace, plan, random } = setUp(c, log);
        const cache = encodeLayer(trace, plan, c.dtype, kernels);
        const simulation = new Simulation(
          trace,
          { ...plan, decode: scattered(c.budget, c.evicts, c.seed) },
          c.dtype,
        );
        for (const count of c.calls) {
          const tokens = randomTokens(trace, count, random);
          expectClose(attend(cache, tokens), simulation.step(tokens, c.evicts));
          const { keys, values } = cache.decode();
          expect(cache.kept).to.deep.equal(simulation.keys.map((rows) => rows.length));
          simulation.keys.forEach((rows, h) => {
            expect([...keys[h]!].map((x) => x + 0)).to.deep.equal(rows.flat().map((x) => x + 0));
            expect([...values[h]!].map((x) => x + 0)).to.deep.equal(
              simulation.values[h]!.flat().map((x) => x + 0),
            );
          });
        }
        expect(log).to.have.length(simulation.shown.length);
        log.forEach((heads, step) => {
          heads.forEach(({ logits, weights }, h) => {
            expectClose(logits, simulation.shown[step]![h]!.logits.flat());
            expectClose(weights, simulation.shown[step]![h]!.weights.flat());
          });
        });
        cache.free();
      }),
      { numRuns: 120 },
    );
  });

  it('gives a token the same bits whether it comes alone or with others', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { trace, plan, random } = setUp(c);
        const tokens = randomTokens(trace, 4, random);
        const together = encodeLayer(trace, plan, c.dtype, kernels);
        const alone = encodeLayer(trace, plan, c.dtype, kernels);
        const part = (x: Float32Array, t: number) => x.slice((t * x.length) / 4, ((t + 1) * x.length) / 4);
        const outs = [0, 1, 2, 3].map((t) =>
          attend(alone, {
            count: 1,
            keys: part(tokens.keys, t),
            values: part(tokens.values, t),
            queries: part(tokens.queries, t),
          }),
        );
        expect([...attend(together, tokens)]).to.deep.equal(outs.flatMap((out) => [...out]));
        together.free();
        alone.free();
      }),
      { numRuns: 40 },
    );
  });

  it('reads, between append and attend, what the new token will see', () => {
    const random = randomFrom(3);
    const trace = makeTrace({ heads: 2, kvHeads: 1, headDim: 8, length: 20 }, random);
    for (const [evicts, held] of [
      ['before_attention', 7],
      ['after_attention', 21],
    ] as const) {
      const plan = { ...fullPlan(trace), decode: { ...scattered(6, evicts, 1), start: newest(6) } };
      const cache = encodeLayer(trace, plan, 'float32', kernels);
      const { keys, values } = randomTokens(trace, 1, random);
      cache.append(keys, values, 1);
      expect(cache.decode().keys[0]).to.have.length(held * 8);
      cache.free();
    }
  });
});

describe('the memory of a cache that evicts while decoding', () => {
  const shape = { heads: 4, kvHeads: 2, headDim: 16, length: 300 };
  /** Keys and values of one token in bfloat16, both KV heads. */
  const tokenBytes = 2 * 2 * 16 * 2;

  function caches(evicts: DecodePolicy['evicts'], budget: number, length = shape.length) {
    const random = randomFrom(4);
    const trace = makeTrace({ ...shape, length }, random);
    const kept = fullPlan(trace).tokens.map((all) =>
      evicts === 'after_attention' ? all.slice(-budget) : all,
    );
    const decode = { budget, evicts, start: newest(budget) };
    const cache = encodeLayer(trace, { ...fullPlan(trace), tokens: kept, decode }, 'bfloat16', kernels);
    return { cache, step: (count = 1) => attend(cache, randomTokens(trace, count, random)) };
  }

  it('stays at the budget and one token, whatever is decoded', () => {
    const { cache, step } = caches('after_attention', 64);
    for (let i = 0; i < 200; i++) {
      expect(sumBytes(cache.bytes()) + cache.tailBytes()).to.equal(65 * tokenBytes);
      expect(cache.kept).to.deep.equal([64, 64]);
      step(i === 100 ? 20 : 1);
    }
    cache.free();
  });

  it('holds the whole prompt until the first step where that evicts, and shrinks then', () => {
    const { cache, step } = caches('before_attention', 64);
    const before = kernels.memory.bytesInUse;
    expect(cache.bytes().value).to.equal(300 * tokenBytes);
    for (let i = 0; i < 3; i++) {
      step(2);
      expect(cache.bytes().value).to.equal(65 * tokenBytes);
      expect(cache.kept).to.deep.equal([65, 65]);
    }
    expect(kernels.memory.bytesInUse).to.equal(before - (300 - 65) * tokenBytes);
    cache.free();
  });

  it('grows towards the budget by a few rows', () => {
    const { cache, step } = caches('after_attention', 100, 30);
    for (let n = 30; n < 130; n++) {
      const held = Math.min(n, 100);
      expect(cache.kept).to.deep.equal([held, held]);
      expect(cache.bytes().value).to.be.within(held * tokenBytes, Math.min(held + 32, 101) * tokenBytes);
      step();
    }
    cache.free();
  });

  it('counts what the policy remembers as index, and is all given back', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const before = kernels.memory.bytesInUse;
        const { trace, plan, random } = setUp(c);
        const cache = encodeLayer(trace, plan, c.dtype, kernels);
        for (const count of c.calls) attend(cache, randomTokens(trace, count, random));
        expect(cache.bytes().index).to.equal(24);
        cache.free();
        cache.free();
        expect(kernels.memory.bytesInUse).to.equal(before);
        expect(() => cache.decode()).to.throw('after it was freed');
      }),
      { numRuns: 40 },
    );
  });

  it('is given back where it runs out half-way', () => {
    const own = openKernels({ maxBytes: 2 ** 18 });
    const trace = makeTrace({ heads: 4, kvHeads: 4, headDim: 64, length: 400 }, randomFrom(9));
    const plan = { ...fullPlan(trace), decode: scattered(400, 'after_attention', 1) };
    expect(() => encodeLayer(trace, plan, 'bfloat16', own)).to.throw(UserError, 'out of cache memory');
    expect(own.memory.bytesInUse).to.equal(0);
  });
});

describe('misuse of a cache that evicts while decoding', () => {
  const trace = makeTrace({ heads: 2, kvHeads: 1, headDim: 8, length: 3 }, randomFrom(2));

  it('names wrong sizes, and tokens that attend twice or not all', () => {
    const plan = { ...fullPlan(trace), decode: scattered(10, 'after_attention', 1) };
    const cache = encodeLayer(trace, plan, 'bfloat16', kernels);
    const row = new Float32Array(8);
    expect(() => {
      cache.append(row, row, 2);
    }).to.throw('keys: expected 16 numbers, got 8');
    cache.append(new Float32Array(16), new Float32Array(16), 2);
    const one = new Float32Array(16);
    expect(() => {
      cache.attend(one, 1, one);
    }).to.throw('expected all 2 appended tokens to attend, once, got 1');
    const two = new Float32Array(32);
    cache.attend(two, 2, two);
    expect(() => {
      cache.attend(two, 2, two);
    }).to.throw('expected all 0 appended tokens');
    cache.free();
  });

  it('does not let a policy keep more than its budget', () => {
    const decode: DecodePolicy = { budget: 2, evicts: 'after_attention', start: newest(3) };
    const cache = encodeLayer(trace, { ...fullPlan(trace), decode }, 'bfloat16', kernels);
    expect(() => attend(cache, randomTokens(trace, 1, randomFrom(1)))).to.throw(
      'layer 0, KV head 0: the decode policy left 3 tokens, more than its budget of 2',
    );
    cache.free();
  });
});
