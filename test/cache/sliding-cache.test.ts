/** Caches of sliding layers: what a token sees, what is held, in every codec that a method may leave there. */
import { expect } from 'chai';
import fc from 'fast-check';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import { onceByName } from '../../src/cache/once.js';
import { fullPlan, windowPlan } from '../../src/cache/plan.js';
import type { LayerCache, LayerPlan, LayerTrace } from '../../src/cache/types.js';
import { openKernels } from '../../src/kernels/index.js';

const SHAPE = { layer: 0, layers: 1, heads: 4, kvHeads: 2, headDim: 8 };

/** Seeded numbers in [-2, 2). */
function numbers(count: number, seed: number): Float32Array {
  let state = seed | 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 30 - 2;
  });
}

function traceOf(length: number, window: number | undefined, softCap?: number): LayerTrace {
  const { kvHeads, headDim } = SHAPE;
  return {
    ...SHAPE,
    length,
    window,
    softCap,
    keys: numbers(kvHeads * length * headDim, 3),
    values: numbers(kvHeads * length * headDim, 5),
    observations: new Map(),
    once: onceByName(),
  };
}

/** Every token in turn: its attention over the entries that the plan kept and the tokens before it, by positions. */
function expected(
  trace: LayerTrace,
  tokens: readonly Int32Array[],
  fed: { readonly keys: Float32Array; readonly values: Float32Array; readonly queries: Float32Array },
  count: number,
): number[] {
  const { heads: H, kvHeads: KV, headDim: D, length: S, window, softCap } = trace;
  const out: number[] = [];
  for (let t = 0; t < count; t++) {
    const position = S + t;
    for (let h = 0; h < H; h++) {
      const kv = Math.floor(h / (H / KV));
      const prompt = [...tokens[kv]!].map((p) => ({ p, from: trace, at: (kv * S + p) * D }));
      const after = Array.from({ length: t + 1 }, (_, i) => ({ p: S + i, from: fed, at: (i * KV + kv) * D }));
      const seen = [...prompt, ...after].filter(({ p }) => window === undefined || p > position - window);
      const query = fed.queries.subarray((t * H + h) * D, (t * H + h + 1) * D);
      const logits = seen.map(({ from, at }) => {
        const dot = query.reduce((sum, q, j) => sum + q * from.keys[at + j]!, 0) / Math.sqrt(D);
        return softCap === undefined ? dot : softCap * Math.tanh(dot / softCap);
      });
      const weights = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
      const total = weights.reduce((a, b) => a + b, 0);
      for (let j = 0; j < D; j++) {
        out.push(
          seen.reduce((sum, { from, at }, i) => sum + (weights[i]! / total) * from.values[at + j]!, 0),
        );
      }
    }
  }
  return out;
}

function expectAttention(trace: LayerTrace, plan: LayerPlan, turns: readonly number[]): LayerCache {
  const { heads: H, kvHeads: KV, headDim: D } = trace;
  const count = turns.reduce((a, b) => a + b, 0);
  const fed = {
    keys: numbers(count * KV * D, 7),
    values: numbers(count * KV * D, 11),
    queries: numbers(count * H * D, 13),
  };
  const cache = encodeLayer(trace, plan, 'float32', openKernels());
  const found: number[] = [];
  let from = 0;
  for (const T of turns) {
    const part = (list: Float32Array, width: number): Float32Array =>
      list.subarray(from * width, (from + T) * width);
    const out = new Float32Array(T * H * D);
    cache.append(part(fed.keys, KV * D), part(fed.values, KV * D), T);
    cache.attend(part(fed.queries, H * D), T, out);
    found.push(...out);
    from += T;
  }
  expected(trace, plan.tokens, fed, count).forEach((x, i) => {
    expect(found[i]!, `entry ${i}`).to.be.closeTo(x, 1e-5);
  });
  return cache;
}

describe('cache/sliding', () => {
  it('a token sees itself and the W − 1 positions before it, whatever was evicted; W − 1 are held', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 2, max: 24 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.boolean()),
        (length, window, turns, keep) => {
          const trace = traceOf(length, window);
          const draws = keep[Symbol.iterator]();
          const tokens = fullPlan(trace).tokens.map((all) => all.filter(() => draws.next().value as boolean));
          for (const plan of [windowPlan(trace), { ...fullPlan(trace), tokens }]) {
            const cache = expectAttention(trace, plan, turns);
            expect(Math.max(...cache.kept)).to.be.below(window);
            cache.free();
          }
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  it('holds exactly its window behind a longer prompt', () => {
    const trace = traceOf(50, 16);
    const cache = encodeLayer(trace, windowPlan(trace), 'bfloat16', openKernels());
    expect(cache.kept).to.deep.equal([15, 15]);
    expect(cache.bytes().value).to.equal(2 * 2 * 15 * 8 * 2);
    cache.free();
  });

  it('the window holds for pruned channels and quantised entries too, with a cap on the logits', () => {
    for (const softCap of [undefined, 1.5]) {
      const trace = traceOf(20, 9, softCap);
      const masks = [0, 1].map((h) => Uint8Array.from({ length: 8 }, (_, j) => Number(j % 2 === h)));
      const plan: LayerPlan = { ...fullPlan(trace), keys: { codec: 'channels', masks, recent: 0 } };
      const zeroed = { ...trace, keys: trace.keys.map((x, i) => x * masks[Math.floor(i / 160)]![i % 8]!) };
      const cache = encodeLayer(trace, plan, 'float32', openKernels());
      const reference = encodeLayer(zeroed, fullPlan(trace), 'float32', openKernels());
      for (const T of [3, 1, 12]) {
        const outs = [cache, reference].map((one) => {
          const out = new Float32Array(T * 4 * 8);
          one.append(numbers(T * 16, 7 + T), numbers(T * 16, 11 + T), T);
          one.attend(numbers(T * 32, 13 + T), T, out);
          return out;
        });
        outs[0]!.forEach((x, i) => expect(x).to.be.closeTo(outs[1]![i]!, 1e-5));
      }
      cache.free();
      reference.free();
    }
  });

  it('a cap on the logits holds without a window', () => {
    const trace = traceOf(12, undefined, 0.8);
    expectAttention(trace, fullPlan(trace), [4, 1, 1]).free();
  });

  it('refuses eviction while decoding', () => {
    const trace = traceOf(12, 4);
    const decode = { budget: 4, evicts: 'after_attention', start: () => expect.fail() } as const;
    expect(() => encodeLayer(trace, { ...fullPlan(trace), decode }, 'float32', openKernels())).to.throw(
      /cannot act in a layer that slides/,
    );
  });
});
