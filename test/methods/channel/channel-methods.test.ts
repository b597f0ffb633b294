import { expect } from 'chai';
import fc from 'fast-check';
import type { LayerTrace, SidePlan } from '../../../src/cache/types.js';
import { UserError } from '../../../src/base/errors.js';
import { keptChannels } from '../../../src/methods/channel/channels.js';
import { windowQueries } from '../../../src/methods/observations.js';
import { fullPlan } from '../../../src/cache/plan.js';
import { spark, type SparkParams } from '../../../src/methods/channel/spark.js';
import { readSide, smallTrace } from '../support.js';

const shape = { heads: 4, kvHeads: 2, headDim: 16, length: 12 };
const sparkParams = (fields: Partial<SparkParams>): SparkParams =>
  spark.params.parse({ ratio: 0.5, window: 4, ...fields });

function sparseHeads(side: SidePlan) {
  if (side.codec !== 'sparse') throw new Error(`expected a sparse side, got ${side.codec}`);
  return side.heads;
}

const keptPerToken = (mask: Uint8Array, width: number) =>
  Array.from({ length: mask.length / width }, (_, t) =>
    mask.subarray(t * width, (t + 1) * width).reduce((sum, bit) => sum + bit, 0),
  );

describe('keptChannels', () => {
  it('counts as the released code and as the paper', () => {
    const counts = [0.5, 0.6, 0.7, 0.8, 0.9].map((ratio) => [
      keptChannels('m', ratio, 128, 'floor'),
      keptChannels('m', ratio, 128, 'int'),
    ]);
    expect(counts).to.deep.equal([[64, 64], [51, 52], [38, 39], [25, 26], [12, 13]]); // prettier-ignore
    expect(keptChannels('m', 0, 128)).to.equal(128);
  });

  it('fails where a ratio prunes none or all', () => {
    expect(() => keptChannels('m', 0.01, 64)).to.throw(UserError, /prunes none of 64/);
    expect(() => keptChannels('m', 0.99, 64, 'floor')).to.throw(UserError, /keeps none of 64/);
  });
});

describe('spark', () => {
  it('keeps exactly T channels of every token, whatever the entries', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 15 }),
        fc.infiniteStream(fc.constantFrom(-1, 0, 0.5, 1, 2)),
        (pruned, entries) => {
          const next = () => entries.next().value as number;
          const trace = smallTrace(shape, [windowQueries(4)], next);
          const ratio = pruned / 16;
          const plan = spark.plan(trace, sparkParams({ ratio, value_ratio: ratio }), fullPlan(trace));
          for (const head of [...sparseHeads(plan.keys), ...sparseHeads(plan.values)]) {
            for (const kept of keptPerToken(head.mask, 16)) expect(kept).to.equal(16 - pruned);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('recovers to the mean saliency of the pruned channels, with the sign of the key', () => {
    const trace = smallTrace(shape, [windowQueries(4)]);
    const a = demand(trace, 0, (rows) => Math.hypot(...rows));
    const [keys] = readSide(trace, spark.plan(trace, sparkParams({}), fullPlan(trace)), 'keys');
    for (let t = 0; t < shape.length; t++) {
      const original = trace.keys.subarray(t * 16, (t + 1) * 16);
      const w = [...original].map((k, j) => a[j]! * k * k);
      const low = [...w.keys()].sort((i, j) => w[i]! - w[j]!).slice(0, 8);
      const mean = low.reduce((sum, j) => sum + w[j]!, 0) / 8;
      for (let j = 0; j < 16; j++) {
        const expected = low.includes(j) ? Math.sign(original[j]!) * Math.sqrt(mean / a[j]!) : original[j]!;
        expect(keys![t * 16 + j]).to.be.closeTo(expected, 1e-5);
      }
    }
  });

  it("the paper's variant: |q|·|k|, the window's mean, ⌊(1 − λ)D⌋ channels, recovered to mean / |q|", () => {
    const trace = smallTrace(shape, [windowQueries(4)]);
    const paper = sparkParams({ ratio: 0.7, saliency: 'paper', reduce: 'mean', rounding: 'floor' });
    const a = demand(trace, 1, (rows) => Math.abs(rows.reduce((sum, x) => sum + x, 0) / rows.length));
    const plan = spark.plan(trace, paper, fullPlan(trace));
    const keys = readSide(trace, plan, 'keys')[1]!;
    for (let t = 0; t < shape.length; t++) {
      const original = trace.keys.subarray((12 + t) * 16, (13 + t) * 16);
      const w = [...original].map((k, j) => a[j]! * Math.abs(k));
      const low = [...w.keys()].sort((i, j) => w[i]! - w[j]!).slice(0, 12);
      const mean = low.reduce((sum, j) => sum + w[j]!, 0) / 12;
      for (const j of low)
        expect(keys[t * 16 + j]).to.be.closeTo((Math.sign(original[j]!) * mean) / a[j]!, 1e-5);
    }
  });

  it('leaves the tied channels of the threshold out of the mean, and keeps the lower ones', () => {
    const trace = smallTrace({ heads: 1, kvHeads: 1, headDim: 4, length: 2 }, [windowQueries(4)], () => 1);
    trace.keys.set([2, 2, 2, 1]);
    const [head] = sparseHeads(spark.plan(trace, sparkParams({}), fullPlan(trace)).keys);
    expect([...head!.mask]).to.deep.equal([1, 1, 0, 0, 1, 1, 0, 0]);
    if (head!.fill.kind !== 'signed') throw new Error('expected signed recovery');
    const [first, second] = head!.fill.scale;
    expect(first! * head!.fill.channel[3]!).to.be.closeTo(1, 1e-6);
    expect(second).to.equal(0);
  });

  it('reads a channel that no query asks for as 0', () => {
    const trace = smallTrace(shape, [windowQueries(4)]);
    [...trace.observations.values()][0]!.forEach((_, i, queries) => {
      if (i % 16 === 3) queries[i] = 0;
    });
    const [keys] = readSide(trace, spark.plan(trace, sparkParams({}), fullPlan(trace)), 'keys');
    expect(keys!.every(Number.isFinite)).to.be.true;
    for (let t = 0; t < shape.length; t++) expect(Math.abs(keys![t * 16 + 3]!)).to.equal(0);
  });

  it('prunes only the side that is asked for', () => {
    const trace = smallTrace(shape, [windowQueries(4)]);
    const keysOnly = spark.plan(trace, sparkParams({}), fullPlan(trace));
    expect([keysOnly.keys.codec, keysOnly.values.codec]).to.deep.equal(['sparse', 'dense']);
    const valuesOnly = spark.plan(trace, sparkParams({ ratio: 0, value_ratio: 0.5 }), fullPlan(trace));
    expect([valuesOnly.keys.codec, valuesOnly.values.codec]).to.deep.equal(['dense', 'sparse']);
    expect(spark.asksForNothing(trace, sparkParams({ ratio: 0 }))).to.be.true;
  });

  it('fills the pruned channels of a value with their mean, or with 0', () => {
    const trace = smallTrace(shape, [windowQueries(4)]);
    const plan = spark.plan(trace, sparkParams({ value_ratio: 0.5 }), fullPlan(trace));
    const [head] = sparseHeads(plan.values);
    if (head!.fill.kind !== 'mean') throw new Error('expected a mean');
    const pruned = [...trace.values.subarray(0, 16)].filter((_, j) => head!.mask[j] === 0);
    expect(head!.fill.scale[0]).to.be.closeTo(pruned.reduce((sum, v) => sum + v, 0) / pruned.length, 1e-6);
    const none = spark.plan(trace, sparkParams({ value_ratio: 0.5, recovery: 'none' }), fullPlan(trace));
    expect(sparseHeads(none.values)[0]!.fill.kind).to.equal('zero');
    expect(sparseHeads(none.keys)[0]!.fill.kind).to.equal('zero');
  });

  it('fails on entries that are not finite', () => {
    for (const name of ['keys', 'values'] as const) {
      const trace = smallTrace(shape, [windowQueries(4)]);
      trace[name][5] = NaN;
      expect(() => spark.plan(trace, sparkParams({ value_ratio: 0.5 }), fullPlan(trace))).to.throw(
        UserError,
        /finite/,
      );
    }
  });
});

/** The queries of KV head h averaged over its two query heads, each channel's window of 4 reduced. */
function demand(trace: LayerTrace, h: number, reduce: (rows: number[]) => number): number[] {
  const queries = [...trace.observations.values()][0]!;
  return Array.from({ length: 16 }, (_, j) =>
    reduce(
      [0, 1, 2, 3].map(
        (u) => (queries[(2 * h * 4 + u) * 16 + j]! + queries[((2 * h + 1) * 4 + u) * 16 + j]!) / 2,
      ),
    ),
  );
}
