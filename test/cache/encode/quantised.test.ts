/** Layers whose sides are quantised, prompt and decoded tokens, against a plain account of what each token should be. */
import { expect } from 'chai';
import fc from 'fast-check';
import { paperBytes, sumBytes } from '../../../src/cache/bytes.js';
import { encodeLayer } from '../../../src/cache/layer-cache.js';
import { fullPlan } from '../../../src/cache/plan.js';
import { referenceAttention } from '../../../src/cache/reference-attention.js';
import type {
  CacheDtype,
  LayerCache,
  LayerPlan,
  LayerTrace,
  Precision,
  SidePlan,
} from '../../../src/cache/types.js';
import { roundToBfloat16 } from '../../../src/kernels/entries.js';
import { openKernels } from '../../../src/kernels/index.js';
import { cases, makeTrace, randomFrom, randomNumbers, type Case } from '../support.js';

const kernels = openKernels();

const precisions: fc.Arbitrary<Precision> = fc
  .record({
    bits: fc.constantFrom(2 as const, 4 as const, 8 as const),
    blocks: fc.boolean(),
    along: fc.constantFrom('token' as const, 'channel' as const),
    group: fc.constantFrom(1, 3, 4, 8, 32),
    times: fc.integer({ min: 1, max: 3 }),
    residual: fc.constantFrom(0, 1, 5, 32, 100),
  })
  .map(({ bits, blocks, along, group, times, residual }) =>
    blocks
      ? { bits, along, group, residual: group * times, settle: 'blocks' }
      : { bits, along: 'token', group: residual === 5 ? Infinity : group, residual, settle: 'sliding' },
  );

/** Cases with a precision on both sides; sparse entries have no channels to quantise along. */
const quantisedCases = fc.tuple(cases, precisions, precisions).map(([c, keys, values]): Case => {
  const withPrecision = (side: SidePlan, precision: Precision): SidePlan => ({
    ...side,
    precision: side.codec === 'sparse' ? { ...precision, along: 'token' } : precision,
  });
  const plan = {
    ...c.plan,
    keys: withPrecision(c.plan.keys, keys),
    values: withPrecision(c.plan.values, values),
  };
  return { ...c, plan };
});

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

function stored(x: number, dtype: CacheDtype): number {
  if (dtype === 'float32') return x;
  const half = roundToBfloat16(new Uint32Array(Float32Array.of(x).buffer)[0]!);
  return new Float32Array(Uint32Array.of(half * 0x1_0000).buffer)[0]!;
}

/** One side of one KV head: every token's entries, which of them it holds, and whether they are codes. */
interface Token {
  readonly entries: number[];
  held: readonly number[];
  coded: boolean;
}

/** Tokens of one side of one KV head as they should be after the prompt. */
function promptTokens({ trace, plan }: Case, name: 'keys' | 'values', head: number): Token[] {
  const { headDim: D, length: S } = trace;
  const side = plan[name];
  const all = Array.from({ length: D }, (_, j) => j);
  const kept = plan.tokens[head]!;
  const tokens = [...kept].map((position, i): Token => {
    const from = (head * S + position) * D;
    const narrow =
      side.codec === 'channels' && side.precision!.settle === 'sliding' && i < kept.length - side.recent;
    const held = narrow ? all.filter((j) => side.masks[head]![j] === 1) : all;
    return { entries: [...trace[name].subarray(from, from + D)], held, coded: false };
  });
  settle(tokens, side, head);
  return tokens;
}

/** Quantises what is due. */
function settle(tokens: readonly Token[], side: SidePlan, head: number): void {
  const { residual, settle: how } = side.precision!;
  const waiting = tokens.filter(({ coded }) => !coded);
  const due =
    how === 'blocks'
      ? Math.floor(waiting.length / residual) * residual
      : Math.max(0, waiting.length - residual);
  for (const token of waiting.slice(0, due)) {
    token.coded = true;
    if (side.codec === 'channels' && how === 'blocks') {
      token.held = token.held.filter((j) => side.masks[head]![j] === 1);
    }
  }
}

/** What is wrong with one side of one KV head, `[n, D]`; undefined where nothing is. */
function fault(
  got: Float32Array,
  tokens: readonly Token[],
  { bits, along, group }: Precision,
  dtype: CacheDtype,
): string | undefined {
  const D = got.length / Math.max(1, tokens.length);
  const levels = 2 ** bits - 1;
  const slack = dtype === 'bfloat16' ? 2 ** -6 : 1e-5;
  for (const [t, { entries, held, coded }] of tokens.entries()) {
    for (let j = 0; j < D; j++) {
      const x = got[t * D + j]!;
      const at = held.indexOf(j);
      let [expected, bound] = [at < 0 ? 0 : stored(entries[j]!, dtype), 0];
      if (at >= 0 && coded) {
        const first = at - (at % Math.min(group, held.length));
        const block = t - (t % group);
        const mates =
          along === 'token'
            ? held.slice(first, first + group).map((i) => entries[i]!)
            : tokens.slice(block, block + group).map((mate) => mate.entries[j]!);
        const [low, high] = [Math.min(...mates), Math.max(...mates)];
        const spare = slack * Math.max(-low, high);
        expected = entries[j]!;
        bound = ((high - low + spare) / levels / 2) * (1 + slack) + spare + 1e-7;
      }
      if (!(Math.abs(x - expected) <= bound)) {
        return `channel ${j} of token ${t}: ${x} for ${expected}, at most ${bound} apart`;
      }
    }
  }
  return undefined;
}

describe('quantised dense sides and channels', () => {
  const dense = quantisedCases.filter(
    ({ plan }) => plan.keys.codec !== 'sparse' && plan.values.codec !== 'sparse',
  );

  it('hold each token in the form of its age, after the prompt and after every step', () => {
    fc.assert(
      fc.property(dense, fc.integer({ min: 1, max: 30 }), (c, steps) => {
        const cache = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        const { kvHeads, headDim: D } = c.trace;
        const sides = (['keys', 'values'] as const).map((name) => ({
          name,
          heads: Array.from({ length: kvHeads }, (_, head) => promptTokens(c, name, head)),
        }));
        const check = (): void => {
          const decoded = cache.decode();
          for (const { name, heads } of sides) {
            heads.forEach((tokens, head) => {
              const precision = c.plan[name].precision!;
              expect(fault(decoded[name][head]!, tokens, precision, c.dtype)).to.equal(undefined);
            });
          }
        };
        check();
        for (let i = 0; i < steps; i++) {
          const step = randomStep(c.trace, 1, c.random);
          attend(cache, step, 1);
          for (const { name, heads } of sides) {
            heads.forEach((tokens, head) => {
              const entries = [...step[name].subarray(head * D, (head + 1) * D)];
              tokens.push({ entries, held: entries.map((_, j) => j), coded: false });
              settle(tokens, c.plan[name], head);
            });
          }
        }
        check();
        cache.free();
      }),
      { numRuns: 60 },
    );
  });

  it('count, and give back, every buffer that exists', () => {
    fc.assert(
      fc.property(quantisedCases, fc.integer({ min: 0, max: 70 }), (c, steps) => {
        const before = kernels.memory.bytesInUse;
        const cache = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        for (let i = 0; i < steps; i++) attend(cache, randomStep(c.trace, 1, c.random), 1);
        const counted = sumBytes(cache.bytes()) + cache.tailBytes();
        const rounding = kernels.memory.bytesInUse - before - counted;
        // every buffer is rounded up to 16 bytes; blocks of one token each have two buffers
        expect(rounding).to.be.within(0, 15 * 2 * c.trace.kvHeads * (12 + 2 * steps));
        cache.free();
        expect(kernels.memory.bytesInUse).to.equal(before);
      }),
      { numRuns: 60 },
    );
  });
});

describe('quantised sides', () => {
  it('attend as the plain reference over what stood there before the step', () => {
    fc.assert(
      fc.property(quantisedCases, fc.integer({ min: 1, max: 6 }), (c, steps) => {
        const cache = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        for (let i = 0; i < steps; i++) {
          const { keys, values, queries } = randomStep(c.trace, 1, c.random);
          cache.append(keys, values, 1);
          const expected = referenceAttention(cache, c.trace, queries, 1);
          const out = new Float32Array(queries.length).fill(NaN);
          cache.attend(queries, 1, out);
          const size = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0) / expected.length);
          const worst = out.reduce((most, x, j) => Math.max(most, Math.abs(x - expected[j]!)), 0);
          expect(worst / (1 + size)).to.be.below(2e-5);
        }
        cache.free();
      }),
      { numRuns: 60 },
    );
  });

  it('give a token the same bits whether it comes alone or with others', () => {
    fc.assert(
      fc.property(quantisedCases, (c) => {
        const { tokens } = c;
        const step = randomStep(c.trace, tokens, c.random);
        const together = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        const alone = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        const got = attend(together, step, tokens);
        const part = (x: Float32Array, t: number): Float32Array =>
          x.slice((t * x.length) / tokens, ((t + 1) * x.length) / tokens);
        for (let t = 0; t < tokens; t++) {
          const one = {
            keys: part(step.keys, t),
            values: part(step.values, t),
            queries: part(step.queries, t),
          };
          expect(Buffer.from(attend(alone, one, 1).buffer)).to.deep.equal(Buffer.from(part(got, t).buffer));
        }
        expect(together.decode()).to.deep.equal(alone.decode());
        together.free();
        alone.free();
      }),
      { numRuns: 80 },
    );
  });

  it('in 8 bits read nearly as without, sparse ones included; masks, fills and the residual as they are', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(0, 3, 32), (c, residual) => {
        const precision: Precision = { bits: 8, along: 'token', group: 32, residual, settle: 'sliding' };
        const { keys, values, tokens } = c.plan;
        const plan = { tokens, keys: { ...keys, precision }, values: { ...values, precision } };
        const plain = encodeLayer(c.trace, c.plan, 'float32', kernels);
        const coded = encodeLayer(c.trace, plan, 'float32', kernels);
        const [expected, got] = [plain.decode(), coded.decode()];
        for (const name of ['keys', 'values'] as const) {
          got[name].forEach((rows, head) => {
            const newest = rows.length - residual * c.trace.headDim;
            // entries are in (−2, 2)
            const bound = (i: number): number => (i >= newest ? 0 : 4 / 255 / 2 + 1e-6);
            const far = rows.findIndex((x, i) => !(Math.abs(x - expected[name][head]![i]!) <= bound(i)));
            expect(far).to.equal(-1);
          });
        }
        plain.free();
        coded.free();
      }),
      { numRuns: 60 },
    );
  });

  it('read sparse rows of several blocks, again and again', () => {
    const trace = makeTrace({ heads: 1, kvHeads: 1, headDim: 64, length: 400 }, randomFrom(3));
    const random = randomFrom(4);
    const mask = Uint8Array.from({ length: 400 * 64 }, () => (random() < 0.3 ? 1 : 0));
    const fill = {
      kind: 'signed' as const,
      scale: randomNumbers(400, random).map(Math.abs),
      channel: randomNumbers(64, random).map(Math.abs),
    };
    const precision: Precision = { bits: 4, along: 'token', group: 5, residual: 32, settle: 'blocks' };
    const plan: LayerPlan = {
      ...fullPlan(trace),
      keys: { codec: 'sparse', heads: [{ mask, fill }], precision },
    };
    const cache = encodeLayer(trace, plan, 'bfloat16', kernels);
    for (let i = 0; i < 2; i++) {
      const { keys, values, queries } = randomStep(trace, 1, random);
      cache.append(keys, values, 1);
      const expected = referenceAttention(cache, trace, queries, 1);
      const out = new Float32Array(64);
      cache.attend(queries, 1, out);
      out.forEach((x, j) => {
        expect(x).to.be.closeTo(expected[j]!, 2e-5);
      });
    }
    cache.free();
  });

  it('hold waiting tokens no longer than they wait', () => {
    const trace = makeTrace({ heads: 2, kvHeads: 1, headDim: 64, length: 100 }, randomFrom(5));
    const sliding: Precision = { bits: 4, along: 'token', group: 32, residual: 64, settle: 'sliding' };
    const blocks: Precision = { bits: 4, along: 'channel', group: 32, residual: 64, settle: 'blocks' };
    const plan: LayerPlan = {
      ...fullPlan(trace),
      keys: { codec: 'dense', precision: blocks },
      values: { codec: 'dense', precision: sliding },
    };
    const cache = encodeLayer(trace, plan, 'bfloat16', kernels);
    // codes and ranges of 64 keys and 36 values, and 36 keys and 64 values as they are
    const codedKey = (64 * 4) / 8;
    const coded = 64 * codedKey + 2 * 64 * 4 + 36 * ((64 * 4) / 8 + 2 * 4);
    expect(sumBytes(cache.bytes())).to.equal(coded + (36 + 64) * 64 * 2);
    expect(cache.tailBytes()).to.equal(0);
    for (let i = 0; i < 300; i++) attend(cache, randomStep(trace, 1, randomFrom(i)), 1);
    // 400 keys: 384 coded; 400 values: 336 coded; a chunk has room for up to 31 rows more at either end
    const codes = 384 * (codedKey + 8) + (336 + 31) * (codedKey + 8);
    const waiting = (16 + 64 + 4 * 31) * 64 * 2;
    expect(sumBytes(cache.bytes()) + cache.tailBytes()).to.be.at.most(codes + waiting);
    // no token of the prompt waits any more
    expect(cache.bytes().value).to.equal(128 * codedKey + 100 * codedKey);
    cache.free();
  });
});

describe('paperBytes of quantised sides', () => {
  it('counts codes at their bits and the residual at the width of the format', () => {
    const trace = makeTrace({ heads: 2, kvHeads: 1, headDim: 64, length: 100 }, randomFrom(6));
    const mask = Uint8Array.from({ length: 64 }, (_, j) => (j < 39 ? 1 : 0));
    const keys: Precision = { bits: 2, along: 'channel', group: 32, residual: 32, settle: 'blocks' };
    const values: Precision = { bits: 4, along: 'token', group: 32, residual: 32, settle: 'sliding' };
    const plan: LayerPlan = {
      ...fullPlan(trace),
      keys: { codec: 'channels', masks: [mask], recent: 32, precision: keys },
      values: { codec: 'dense', precision: values },
    };
    const expected = (96 * 39 * 2 + 4 * 64 * 16 + 68 * 64 * 4 + 32 * 64 * 16) / 8;
    expect(paperBytes(trace, plan, 'bfloat16')).to.equal(expected);
  });
});
