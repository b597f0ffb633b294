import { expect } from 'chai';
import { fullPlan } from '../../../src/cache/plan.js';
import { windowQueries } from '../../../src/methods/observations.js';
import { adaptiveCount } from '../../../src/methods/channel/spark-adaptive.js';
import { spark } from '../../../src/methods/channel/spark.js';
import { readSide, smallTrace } from '../support.js';

const count = (w: readonly number[], adaptive: 'p' | 'g4' | 'g5', share = 0.99): number =>
  adaptiveCount(Float32Array.from(w), adaptive, share, new Float32Array(w.length));

/** D channels of which all but the first n are worth nothing: i* is n − 1. */
const concentrated = (n: number, width: number) => Array.from({ length: width }, (_, j) => Number(j < n));

describe('adaptiveCount', () => {
  it('p: the most salient channels up to the one that passes the share, whatever their order', () => {
    expect(count([1, 5, 0, 4], 'p', 0.4)).to.equal(1);
    expect(count([1, 5, 0, 4], 'p', 0.5)).to.equal(2); // 5 is not above 0.5 · 10
    expect(count([0, 4, 5, 1], 'p', 0.89)).to.equal(2);
    expect(count([1, 5, 0, 4], 'p', 0.95)).to.equal(3);
  });

  it('p: at least one, also of a key of zeros', () => {
    expect(count([0, 0, 0, 0], 'p')).to.equal(1);
    expect(count([1, 1, 1, 1], 'p')).to.equal(4);
  });

  it('g4: quarters of D, by i* up to and including a quarter, a half, three quarters', () => {
    const counts = [1, 17, 18, 33, 34, 49, 50, 64].map((n) => count(concentrated(n, 64), 'g4'));
    expect(counts).to.deep.equal([16, 16, 32, 32, 48, 48, 64, 64]);
  });

  it('g5: odd tenths of D, by i* up to and including fifths of it, rounded down', () => {
    const counts = [1, 13, 14, 26, 27, 39, 40, 52, 53, 64].map((n) => count(concentrated(n, 64), 'g5'));
    expect(counts).to.deep.equal([6, 6, 19, 19, 32, 32, 44, 44, 57, 57]);
    expect(count(concentrated(1, 8), 'g5')).to.equal(1);
  });
});

describe('adaptive spark', () => {
  const shape = { heads: 4, kvHeads: 2, headDim: 16, length: 12 };
  const trace = smallTrace(shape, [windowQueries(4)]);
  const parse = (fields: object) => spark.params.parse({ window: 4, ...fields });
  const keptPerToken = (fields: object): number[] => {
    const { keys } = spark.plan(trace, parse(fields), fullPlan(trace));
    if (keys.codec !== 'sparse') throw new Error(`expected sparse keys, got ${keys.codec}`);
    return keys.heads.flatMap(({ mask }) =>
      Array.from({ length: 12 }, (_, t) =>
        mask.subarray(t * 16, (t + 1) * 16).reduce((sum, x) => sum + x, 0),
      ),
    );
  };

  it('counts differ between tokens, rise with the threshold, and come in groups for g4 and g5', () => {
    const loose = keptPerToken({ adaptive: 'p', threshold: 0.8 });
    const tight = keptPerToken({ adaptive: 'p' });
    expect(new Set(loose).size).to.be.above(2);
    loose.forEach((kept, t) => expect(kept).to.be.within(1, tight[t]!));
    for (const kept of keptPerToken({ adaptive: 'g4', threshold: 0.8 })) expect(kept % 4).to.equal(0);
    for (const kept of keptPerToken({ adaptive: 'g5' })) expect([1, 4, 8, 11, 14]).to.include(kept);
  });

  it('p keeps the share of the saliency, and no channel more than it needs', () => {
    const { keys } = spark.plan(
      trace,
      parse({ adaptive: 'p', threshold: 0.9, recovery: 'none' }),
      fullPlan(trace),
    );
    if (keys.codec !== 'sparse') throw new Error(`expected sparse keys, got ${keys.codec}`);
    const queries = trace.observations.values().next().value!; // [H, w, D]
    const demand = (j: number): number =>
      Math.hypot(...[0, 1, 2, 3].map((u) => (queries[u * 16 + j]! + queries[(4 + u) * 16 + j]!) / 2));
    for (let t = 0; t < 12; t++) {
      const w = Array.from({ length: 16 }, (_, j) => demand(j) * trace.keys[t * 16 + j]! ** 2);
      const total = w.reduce((a, b) => a + b);
      const kept = w.filter((_, j) => keys.heads[0]!.mask[t * 16 + j] === 1);
      const sum = kept.reduce((a, b) => a + b);
      expect(sum).to.be.above(0.9 * total);
      expect(sum - Math.min(...kept)).to.be.at.most(0.9 * total);
    }
  });

  it('degenerate recovery takes the mean of what each token loses', () => {
    const plan = spark.plan(trace, parse({ adaptive: 'p', threshold: 0.9 }), fullPlan(trace));
    if (plan.keys.codec !== 'sparse') throw new Error(`expected sparse keys, got ${plan.keys.codec}`);
    const [head] = plan.keys.heads;
    const [keys] = readSide(trace, plan, 'keys');
    if (head!.fill.kind !== 'signed') throw new Error('expected signs');
    const { channel } = head!.fill;
    for (let t = 0; t < 12; t++) {
      const lost = Array.from({ length: 16 }, (_, j) => j).filter((j) => head!.mask[t * 16 + j] === 0);
      const w = (list: Float32Array, j: number) => (list[t * 16 + j]! / channel[j]!) ** 2;
      const sum = (list: Float32Array) => lost.reduce((total, j) => total + w(list, j), 0);
      expect(sum(keys!)).to.be.closeTo(sum(trace.keys), 1e-4 * (1 + sum(trace.keys)));
    }
  });

  it('takes either a ratio or an adaptive form', () => {
    const message = /expected either ratio/;
    expect(() => parse({})).to.throw(message);
    expect(() => parse({ ratio: 0.5, adaptive: 'p' })).to.throw(message);
    expect(spark.asksForNothing(trace, parse({ adaptive: 'p' }))).to.equal(false);
    expect(spark.observes(parse({ adaptive: 'g5' }))).to.deep.equal([windowQueries(4)]);
  });
});
