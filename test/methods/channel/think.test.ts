import { expect } from 'chai';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerPlan, LayerTrace, SidePlan } from '../../../src/cache/types.js';
import { UserError } from '../../../src/base/errors.js';
import { observed, windowOutputs, windowQueries } from '../../../src/methods/observations.js';
import { spark } from '../../../src/methods/channel/spark.js';
import { think } from '../../../src/methods/channel/think.js';
import { smallTrace } from '../support.js';

const [D, S, w] = [16, 12, 4];
const shape = { heads: 4, kvHeads: 2, headDim: D, length: S };
const trace = smallTrace(shape, [windowQueries(w), windowOutputs(w)]);
const parse = (fields: object) => think.params.parse({ ratio: 0.5, window: w, ...fields });
const planned = (fields: object, plan = fullPlan(trace)): LayerPlan => think.plan(trace, parse(fields), plan);

function channels(side: SidePlan) {
  if (side.codec !== 'channels') throw new Error(`expected channels, got ${side.codec}`);
  return side;
}

/** 1 for the upper half. */
function upperHalf(norms: readonly number[]): number[] {
  const median = norms.toSorted((x, y) => x - y)[norms.length / 2 - 1]!;
  return norms.map((norm) => Number(norm > median));
}

/** Row u of the window of query head h, channel j, of an observation `[H, w, D]`. */
const at = (list: Float32Array, h: number, u: number, j: number): number => list[(h * w + u) * D + j]!;

/** ‖Q_j K_jᵀ‖ in the Frobenius norm, entry by entry, over the given query heads and kept tokens. */
function logitNorms({ keys }: LayerTrace, heads: readonly number[], tokens: readonly number[]): number[] {
  const queries = observed(trace, windowQueries(w));
  const kv = Math.floor(heads[0]! / 2);
  return Array.from({ length: D }, (_, j) => {
    let squares = 0;
    for (const h of heads) {
      for (let u = 0; u < w; u++) {
        for (const t of tokens) squares += (at(queries, h, u, j) * keys[(kv * S + t) * D + j]!) ** 2;
      }
    }
    return Math.sqrt(squares);
  });
}

/** ‖softmax(Q Kᵀ/√D) V_j‖ over the window, from queries, keys and values, over the given query heads. */
function outputNorms({ keys, values }: LayerTrace, heads: readonly number[]): number[] {
  const queries = observed(trace, windowQueries(w));
  const kv = Math.floor(heads[0]! / 2);
  const squares = new Array<number>(D).fill(0);
  for (const h of heads) {
    for (let u = 0; u < w; u++) {
      const weights = Array.from({ length: S - w + u + 1 }, (_, t) => {
        let dot = 0;
        for (let j = 0; j < D; j++) dot += at(queries, h, u, j) * keys[(kv * S + t) * D + j]!;
        return Math.exp(dot / Math.sqrt(D));
      });
      const sum = weights.reduce((a, b) => a + b);
      for (let j = 0; j < D; j++) {
        const output = weights.reduce(
          (o, weight, t) => o + (weight / sum) * values[(kv * S + t) * D + j]!,
          0,
        );
        squares[j]! += output ** 2;
      }
    }
  }
  return squares.map(Math.sqrt);
}

const all = Array.from({ length: S }, (_, t) => t);
const lists = (masks: readonly Uint8Array[] | undefined) => masks?.map((mask) => [...mask]);

describe('think', () => {
  it('ranks key channels by the Frobenius norms of their rank-one terms, over the group', () => {
    const keys = channels(planned({ recent: 3 }).keys);
    expect(lists(keys.masks)).to.deep.equal([
      upperHalf(logitNorms(trace, [0, 1], all)),
      upperHalf(logitNorms(trace, [2, 3], all)),
    ]);
    expect(keys.recent).to.equal(3);
    expect(keys.queryMasks).to.equal(undefined);
    expect(planned({}).values).to.deep.equal({ codec: 'dense' });
  });

  it('ranks over the tokens that an earlier step has kept', () => {
    const held = { ...fullPlan(trace), tokens: [Int32Array.of(0, 7, 11), Int32Array.of(2, 3)] };
    expect(lists(channels(planned({}, held).keys).masks)).to.deep.equal([
      upperHalf(logitNorms(trace, [0, 1], [0, 7, 11])),
      upperHalf(logitNorms(trace, [2, 3], [2, 3])),
    ]);
  });

  it('mask=query_head: a mask for each query head, of which a KV head stores the union', () => {
    const keys = channels(planned({ mask: 'query_head' }).keys);
    const own = [0, 1, 2, 3].map((h) => upperHalf(logitNorms(trace, [h], all)));
    expect(lists(keys.queryMasks)).to.deep.equal(own);
    const union = (a: number[], b: number[]) => a.map((bit, j) => bit | b[j]!);
    expect(lists(keys.masks)).to.deep.equal([union(own[0]!, own[1]!), union(own[2]!, own[3]!)]);
  });

  it('ranks value channels by the norms of their outputs, for every token', () => {
    const values = channels(planned({ ratio: 0, value_ratio: 0.5 }).values);
    expect(lists(values.masks)).to.deep.equal([
      upperHalf(outputNorms(trace, [0, 1])),
      upperHalf(outputNorms(trace, [2, 3])),
    ]);
    expect(values).to.include({ recent: 0, everyToken: true });
    const own = channels(planned({ ratio: 0, value_ratio: 0.5, mask: 'query_head' }).values);
    expect(lists(own.queryMasks)).to.deep.equal([0, 1, 2, 3].map((h) => upperHalf(outputNorms(trace, [h]))));
  });

  it('prunes the sides that are asked for, and asks only for what they need', () => {
    const codecs = (fields: object) => [planned(fields).keys.codec, planned(fields).values.codec];
    expect(codecs({ ratio: 0, value_ratio: 0.5 })).to.deep.equal(['dense', 'channels']);
    expect(codecs({ value_ratio: 0.25 })).to.deep.equal(['channels', 'channels']);
    expect(think.observes(parse({}))).to.deep.equal([windowQueries(w)]);
    expect(think.observes(parse({ ratio: 0, value_ratio: 0.5 }))).to.deep.equal([windowOutputs(w)]);
    expect(think.observes(parse({ ratio: 0 }))).to.deep.equal([]);
    expect(think.asksForNothing(trace, parse({ ratio: 0 }))).to.equal(true);
    expect(think.asksForNothing(trace, parse({ ratio: 0, value_ratio: 0.5 }))).to.equal(false);
  });

  it('the kvpress variant leaves no token dense', () => {
    expect(planned({ variant: 'kvpress' }).keys).to.include({ codec: 'channels', recent: 0 });
  });

  it('refuses sides that are already pruned', () => {
    const pruned = spark.plan(trace, spark.params.parse({ ratio: 0.5, window: w }), fullPlan(trace));
    expect(() => planned({}, pruned)).to.throw(UserError, /already pruned/);
    const both = planned({ value_ratio: 0.5 });
    const params = spark.params.parse({ ratio: 0, value_ratio: 0.5 });
    expect(() => spark.plan(trace, params, both)).to.throw(UserError, /dense values/);
    expect(() => planned({ ratio: 0, value_ratio: 0.5 }, both)).to.throw(UserError, /dense values/);
    const sampled = { ratio: 0.5, window: w, recovery: 'normal' };
    const replaced = spark.plan(trace, spark.params.parse(sampled), fullPlan(trace));
    expect(() => planned({}, replaced)).to.throw(UserError, /already replaced/);
  });

  it('names the side of which a ratio prunes nothing', () => {
    expect(() => planned({ ratio: 0.01 })).to.throw(UserError, /^think: a ratio of 0.01/);
    expect(() => planned({ value_ratio: 0.01 })).to.throw(UserError, /^think \(values\): a ratio of 0.01/);
  });
});
