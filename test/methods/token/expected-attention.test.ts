import { expect } from 'chai';
import { fullPlan } from '../../../src/cache/plan.js';
import { observationKey, type LayerTrace } from '../../../src/cache/types.js';
import { expectedAttention } from '../../../src/methods/token/expected-attention.js';
import { smallTrace, waves } from '../support.js';

const shape = { heads: 4, kvHeads: 2, headDim: 4, length: 24 };
const D = shape.headDim;

const S = shape.length;

/** A trace under these logits of the queries to come, `[H, S − sinks]`. */
function traceUnder(raw: object): { trace: LayerTrace; logits: Float32Array } {
  const next = waves();
  const params = expectedAttention.params.parse(raw);
  const logits = Float32Array.from({ length: shape.heads * (S - params.sinks) }, () => 4 * next());
  const observations = new Map(
    expectedAttention.observes(params).map((one) => [observationKey(one), logits]),
  );
  return { trace: { ...smallTrace(shape, []), observations }, logits };
}

/** The score from its definition. */
function expectedScores(raw: { sinks: number; value_norm?: boolean; epsilon?: number }) {
  const { trace, logits } = traceUnder({ ratio: 0.5, ...raw });
  const { value_norm: valueNorm = true, epsilon = 0, sinks } = raw;
  const scores = Array.from({ length: shape.kvHeads }, (_, kv) => {
    const shares = [2 * kv, 2 * kv + 1].map((h) => {
      const exps = Array.from(logits.subarray(h * (S - sinks), (h + 1) * (S - sinks)), Math.exp);
      const total = exps.reduce((a, b) => a + b, 0);
      return exps.map((x) => x / total);
    });
    return shares[0]!.map((share, t) => {
      const attention = (share + shares[1]![t]!) / 2;
      const at = (kv * S + sinks + t) * D;
      return valueNorm ? (attention + epsilon) * Math.hypot(...trace.values.subarray(at, at + D)) : attention;
    });
  });
  return { trace, scores };
}

describe('expected_attention', () => {
  for (const raw of [
    { sinks: 4 },
    { sinks: 0 },
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
