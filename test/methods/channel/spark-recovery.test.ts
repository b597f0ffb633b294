/** Sampled recoveries, by their statistics and by the order in which samples go to channels; tokens that stay whole. */
import { expect } from 'chai';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerTrace } from '../../../src/cache/types.js';
import { windowQueries } from '../../../src/methods/observations.js';
import { spark } from '../../../src/methods/channel/spark.js';
import { readSide, smallTrace } from '../support.js';

const D = 64;
const LOW = 8;
const shape = { heads: 2, kvHeads: 1, headDim: D, length: 300 };
const trace = smallTrace(shape, [windowQueries(4)]);

/** What reads in place of the keys. */
function keysUnder(fields: object, of: LayerTrace = trace, plan = fullPlan(of)): Float32Array {
  const params = spark.params.parse({ ratio: 0.5, window: 4, ...fields });
  const { keys } = spark.plan(of, params, plan);
  if (keys.codec !== 'dense') throw new Error(`expected dense keys, got ${keys.codec}`);
  return keys.contents![0]!;
}

/** a, `[D]`. */
const demand = Array.from({ length: D }, (_, j) => {
  const queries = trace.observations.values().next().value!; // [2, 4, D]
  return Math.hypot(...[0, 1, 2, 3].map((u) => (queries[u * D + j]! + queries[(4 + u) * D + j]!) / 2));
});

/** w of `entries [n, D]`, row t. */
const saliencies = (entries: Float32Array, t: number): number[] =>
  Array.from({ length: D }, (_, j) => demand[j]! * entries[t * D + j]! ** 2);

const byFall = (w: readonly number[]): number[] => [...w.keys()].sort((i, j) => w[j]! - w[i]!);
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
const tokens = Array.from({ length: shape.length }, (_, t) => t);

for (const recovery of ['exponential', 'normal'] as const) {
  describe(`${recovery} recovery`, () => {
    const contents = keysUnder({ recovery, clip: 'threshold' });

    it('leaves kept channels, and keeps the signs of the others', () => {
      for (const t of tokens) {
        const w = saliencies(trace.keys, t);
        const order = byFall(w);
        for (const j of order.slice(0, 32)) expect(contents[t * D + j]).to.equal(trace.keys[t * D + j]);
        for (const j of order.slice(32)) {
          expect(Math.sign(contents[t * D + j]!)).to.equal(trace.keys[t * D + j]! > 0 ? 1 : -1);
        }
      }
    });

    it('gives falling samples to channels of falling saliency, none above the least kept one', () => {
      for (const t of tokens) {
        const w = saliencies(trace.keys, t);
        const order = byFall(w);
        const drawn = saliencies(contents, t);
        for (let rank = 32; rank < D; rank++) {
          const above = rank === 32 ? w[order[31]!]! : drawn[order[rank - 1]!]!;
          expect(drawn[order[rank]!]).to.be.at.most(above * (1 + 1e-5));
        }
      }
    });

    it('has the quantiles of the distribution that fits each token', () => {
      // far enough down the ranks that hardly any sample is above the least kept saliency
      const relative = tokens.map((t) => {
        const w = saliencies(trace.keys, t);
        return saliencies(contents, t)[byFall(w)[D - LOW]!]! / expectedLow(recovery, w);
      });
      expect(mean(relative)).to.be.closeTo(1, 0.06);
    });

    it('clip=mean puts the mean of the pruned ones in place of samples above the least kept one', () => {
      const replaced = keysUnder({ recovery, clip: 'mean' });
      let clipped = 0;
      for (const t of tokens) {
        const w = saliencies(trace.keys, t);
        const order = byFall(w);
        const least = w[order[31]!]!;
        const average = mean(order.slice(32).map((j) => w[j]!));
        const [capped, averaged] = [saliencies(contents, t), saliencies(replaced, t)];
        for (const j of order.slice(32)) {
          const wasAbove = Math.abs(capped[j]! - least) < 1e-6 * least;
          clipped += Number(wasAbove);
          const expected = wasAbove ? average : capped[j]!;
          expect(averaged[j]).to.be.closeTo(expected, 1e-4 * (1 + expected));
        }
      }
      expect(clipped).to.be.above(20);
    });

    it('repeats with a seed, differs with another, and knows a token by its position', () => {
      expect(keysUnder({ recovery, clip: 'threshold' })).to.deep.equal(contents);
      expect(keysUnder({ recovery, clip: 'threshold', seed: 1 })).to.not.deep.equal(contents);
      const few = { ...fullPlan(trace), tokens: [Int32Array.of(7, 200)] };
      const expected = [7, 200].flatMap((t) => [...contents.subarray(t * D, (t + 1) * D)]);
      expect([...keysUnder({ recovery, clip: 'threshold' }, trace, few)]).to.deep.equal(expected);
      const later = { ...trace, layer: 1 };
      expect(keysUnder({ recovery, clip: 'threshold' }, later)).to.not.deep.equal(contents);
    });

    it('fills values by zero', () => {
      const params = spark.params.parse({ ratio: 0, value_ratio: 0.5, recovery });
      const { values } = spark.plan(trace, params, fullPlan(trace));
      expect(values).to.have.nested.property('heads[0].fill.kind', 'zero');
    });
  });
}

/** About the expected LOW-th smallest of D samples: a quantile of the exponential or of the folded normal distribution. */
function expectedLow(recovery: 'exponential' | 'normal', w: readonly number[]): number {
  const average = mean(w);
  const share = LOW / (D + 1);
  if (recovery === 'exponential') return -average * Math.log(1 - share);
  const deviation = Math.sqrt(w.reduce((sum, x) => sum + (x - average) ** 2, 0) / (w.length - 1));
  let low = 0;
  let high = average + 5 * deviation;
  for (let i = 0; i < 30; i++) {
    const x = (low + high) / 2;
    const below = phi((x - average) / deviation) - phi((-x - average) / deviation);
    if (below < share) low = x;
    else high = x;
  }
  return low;
}

/** The standard normal distribution function, by summing its density. */
function phi(z: number): number {
  const steps = 200;
  const from = -8;
  const width = (z - from) / steps;
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += Math.exp(-((from + (i + 0.5) * width) ** 2) / 2);
  return (sum * width) / Math.sqrt(2 * Math.PI);
}

describe('recovery of single keys', () => {
  it("the paper's saliency: samples are divided by |q|", () => {
    const contents = keysUnder({ recovery: 'exponential', clip: 'threshold', saliency: 'paper' });
    for (const t of tokens) {
      const w = (list: Float32Array) => demand.map((a, j) => a * Math.abs(list[t * D + j]!));
      const order = byFall(w(trace.keys));
      const drawn = w(contents);
      for (let rank = 33; rank < D; rank++) {
        expect(drawn[order[rank]!]).to.be.at.most(drawn[order[rank - 1]!]! * (1 + 1e-5));
      }
    }
  });

  it('keys of zeros are finite: no sample is above 0, the least kept saliency', () => {
    const zeros = { ...trace, keys: new Float32Array(trace.keys.length) };
    for (const recovery of ['exponential', 'normal']) {
      for (const x of keysUnder({ recovery }, zeros)) expect(Math.abs(x)).to.equal(0);
    }
  });

  it('recent: the newest kept tokens keep all channels of keys and values', () => {
    const held = { ...fullPlan(trace), tokens: [Int32Array.of(3, 50, 51, 280)] };
    for (const recovery of ['degenerate', 'none', 'normal']) {
      const params = spark.params.parse({ ratio: 0.5, value_ratio: 0.5, window: 4, recent: 2, recovery });
      const plan = spark.plan(trace, params, held);
      for (const name of ['keys', 'values'] as const) {
        const [rows] = readSide(trace, plan, name);
        const same = [3, 50, 51, 280].map((position, t) =>
          rows!.subarray(t * D, (t + 1) * D).every((x, j) => x === trace[name][position * D + j]!),
        );
        expect(same, `${name} ${recovery}`).to.deep.equal([false, false, true, true]);
      }
    }
  });
});
