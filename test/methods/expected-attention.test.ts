import { expect } from 'chai';
import { fullPlan } from '../../src/cache/plan.js';
import { observationKey, type LayerTrace } from '../../src/cache/types.js';
import { expectedAttention } from '../../src/methods/expected-attention.js';
import { smallTrace, waves } from './support.js';

const shape = { heads: 4, kvHeads: 2, headDim: 4, length: 24 };
const D = shape.headDim;

/** A trace under these statistics: per query head a mean and a factor L of the covariance L·Lᵀ. */
function traceUnder(raw: object): { trace: LayerTrace; means: Float64Array[]; factors: Float64Array[] } {
  const next = waves();
  const draw = (count: number) => Float64Array.from({ length: count }, () => 2 * next());
  const means = Array.from({ length: shape.heads }, () => draw(D));
  const factors = Array.from({ length: shape.heads }, () => draw(D * D));
  const statistics = means.flatMap((mean, h) => [...mean, ...outer(factors[h]!)]);
  const [observation] = expectedAttention.observes(expectedAttention.params.parse(raw));
  const observations = new Map([[observationKey(observation!), Float32Array.from(statistics)]]);
  return { trace: { ...smallTrace(shape, []), observations }, means, factors };
}

/** L·Lᵀ */
function outer(factor: Float64Array): number[] {
  return Array.from({ length: D * D }, (_, at) => {
    const [i, j] = [Math.floor(at / D), at % D];
    let sum = 0;
    for (let c = 0; c < D; c++) sum += factor[i * D + c]! * factor[j * D + c]!;
    return sum;
  });
}

/** The score from its definition: kᵀΣk = ‖Lᵀk‖². */
function expectedScores(raw: {
  sinks: number;
  covariance?: boolean;
  value_norm?: boolean;
  epsilon?: number;
}) {
  const { trace, means, factors } = traceUnder({ ratio: 0.5, ...raw });
  const { covariance = true, value_norm: valueNorm = true, epsilon = 0, sinks } = raw;
  const scores = Array.from({ length: shape.kvHeads }, (_, kv) => {
    const row = (x: Float32Array, t: number) => [...x.subarray((kv * 24 + t) * D, (kv * 24 + t + 1) * D)];
    const shares = [2 * kv, 2 * kv + 1].map((h) => {
      const exps = Array.from({ length: 24 - sinks }, (_, t) => {
        const key = row(trace.keys, sinks + t);
        const dot = key.reduce((sum, x, j) => sum + x * means[h]![j]!, 0);
        const spread = Array.from({ length: D }, (_, c) =>
          key.reduce((sum, x, j) => sum + x * factors[h]![j * D + c]!, 0),
        ).reduce((sum, x) => sum + x * x, 0);
        return Math.exp(dot / 2 + (covariance ? spread / 8 : 0)); // √D = 2, 2D = 8
      });
      const total = exps.reduce((a, b) => a + b, 0);
      return exps.map((x) => x / total);
    });
    return shares[0]!.map((share, t) => {
      const attention = (share + shares[1]![t]!) / 2;
      return valueNorm ? (attention + epsilon) * Math.hypot(...row(trace.values, sinks + t)) : attention;
    });
  });
  return { trace, scores };
}

describe('expected_attention', () => {
  for (const raw of [
    { sinks: 4 },
    { sinks: 0 },
    { sinks: 4, covariance: false },
    { sinks: 4, value_norm: false },
    { sinks: 4, epsilon: 0.01 },
  ]) {
    it(`scores by the expectation over the queries to come, ${JSON.stringify(raw)}`, () => {
      const { trace, scores } = expectedScores(raw);
      const params = expectedAttention.params.parse({ ratio: 0.5, ...raw });
      const found = expectedAttention.scorer.score(trace, params);
      scores.forEach((head, kv) => {
        head.forEach((score, t) => {
          expect(found[kv * 24 + raw.sinks + t]).to.be.closeTo(score, 1e-5 * score + 1e-9);
        });
      });
    });
  }

  it('keeps the sinks, whatever they score, as part of the budget', () => {
    const { trace } = traceUnder({ budget: 6 });
    const params = expectedAttention.params.parse({ budget: 6 });
    for (const kept of expectedAttention.plan(trace, params, fullPlan(trace)).tokens) {
      expect(kept).to.have.length(6);
      expect([...kept.subarray(0, 4)]).to.deep.equal([0, 1, 2, 3]);
    }
    expect(expectedAttention.params.safeParse({ budget: 3 }).error?.issues[0]?.message).to.contain(
      'at least 4',
    );
  });

  it('keeps a prompt of sinks only', () => {
    const { trace } = traceUnder({ ratio: 0.5, sinks: 24 });
    const params = expectedAttention.params.parse({ ratio: 0.5, sinks: 24 });
    for (const kept of expectedAttention.plan(trace, params, fullPlan(trace)).tokens)
      expect(kept).to.have.length(24);
  });
});
