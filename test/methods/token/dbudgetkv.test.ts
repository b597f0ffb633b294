import { expect } from 'chai';
import fc from 'fast-check';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerTrace } from '../../../src/cache/types.js';
import { UserError } from '../../../src/base/errors.js';
import { dbudgetkv } from '../../../src/methods/token/dbudgetkv.js';
import { observed, windowAttention } from '../../../src/methods/observations.js';
import { planLayer } from '../../support/planning.js';
import { smallTrace } from '../support.js';

const shape = { heads: 4, kvHeads: 2, headDim: 8, length: 40 };
const parse = (params: Record<string, unknown>) => dbudgetkv.params.parse({ whole_layers: [], ...params });
const traceFor = (params: ReturnType<typeof parse>) => smallTrace(shape, dbudgetkv.observes(params));

function keptBy(params: Record<string, unknown>, trace: LayerTrace = traceFor(parse(params))): number[][] {
  return dbudgetkv.plan(trace, parse(params), fullPlan(trace)).tokens.map((kept) => [...kept]);
}

/** The last row's attention of each query head, by position. */
function lastRow(trace: LayerTrace): number[][] {
  const attention = observed(trace, windowAttention(1));
  return Array.from({ length: shape.heads }, (_, h) => [...attention.subarray(h * 40, (h + 1) * 40)]);
}

/** Δ of keeping `kept` besides the sinks, which are not counted. */
function lost(rows: readonly number[][], kept: ReadonlySet<number>): number {
  const norm = (of: (t: number) => boolean) =>
    rows.reduce((sum, row) => sum + Math.hypot(...row.filter((_, t) => t >= 4 && of(t))), 0);
  return 1 - norm((t) => kept.has(t)) / norm(() => true);
}

describe('dbudgetkv', () => {
  it('keeps the sinks and the fewest newest tokens that lose less than the threshold', () => {
    for (const threshold of [0.01, 0.05, 0.2, 0.6]) {
      const trace = traceFor(parse({ threshold }));
      const [kept, other] = keptBy({ threshold }, trace);
      expect(other).to.deep.equal(kept);
      const [window, least] = [kept!.slice(4), kept!.length - 4];
      expect(kept!.slice(0, 4)).to.deep.equal([0, 1, 2, 3]);
      expect(window).to.deep.equal(Array.from({ length: least }, (_, i) => 40 - least + i));
      const rows = lastRow(trace);
      expect(lost(rows, new Set(window))).to.be.below(threshold);
      expect(lost(rows, new Set(window.slice(1)))).to.be.at.least(threshold);
    }
  });

  it('keeps less as the threshold rises, in both orders', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.constantFrom('position', 'h2o'),
        (a, b, order) => {
          const [small, large] = [Math.min(a, b), Math.max(a, b)];
          const more = keptBy({ order, threshold: small });
          keptBy({ order, threshold: large }).forEach((kept, h) => {
            expect(more[h]).to.include.members(kept);
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('order h2o: the window stays, the others by the attention that each KV head’s query heads pay them', () => {
    const params = { order: 'h2o', window: 6, threshold: 0.3 };
    const trace = traceFor(parse(params));
    const attention = observed(trace, windowAttention(6)); // [H, S]
    const kept = keptBy(params, trace);
    expect(kept[0]!.length).to.equal(kept[1]!.length).and.be.within(7, 39);
    expect(kept[0]).to.not.deep.equal(kept[1]);
    kept.forEach((tokens, h) => {
      expect(tokens.slice(-6)).to.deep.equal([34, 35, 36, 37, 38, 39]);
      const worth = (t: number) => attention[2 * h * 40 + t]! + attention[(2 * h + 1) * 40 + t]!;
      const [inside, outside] = [tokens.slice(0, -6), fullPlan(trace).tokens[0]!.slice(0, 34)];
      const worst = Math.min(...inside.map(worth));
      for (const t of outside) if (!inside.includes(t)) expect(worth(t)).to.be.at.most(worst);
    });
  });

  it('averages several rows over those that see a token', () => {
    // Four rows see positions up to 36, one sees 39: an equal share of each row would starve the newest.
    const trace = smallTrace(shape, [windowAttention(4)]);
    const attention = observed(trace, windowAttention(4));
    attention.fill(0);
    for (let h = 0; h < 4; h++) attention.set([0.4, 0, 0.1], h * 40 + 37 - 30); // positions 7 and 9
    for (let h = 0; h < 4; h++) attention.set([0.1], h * 40 + 39); // ¼ of one row's 0.4
    // a = 0.4 at 7, 0.1 at 9, 0.4 at 39: without position 7, √(0.17/0.33) of the norm.
    const without7 = 1 - Math.sqrt(0.17 / 0.33);
    expect(keptBy({ rows: 4, threshold: without7 + 0.01 }, trace)[0]).to.have.length(4 + 31);
    expect(keptBy({ rows: 4, threshold: without7 - 0.01 }, trace)[0]).to.have.length(4 + 33);
  });

  it('sinks in the norm hide what the others lose', () => {
    const trace = smallTrace(shape, [windowAttention(1)]);
    const attention = observed(trace, windowAttention(1));
    for (let h = 0; h < 4; h++) attention.fill(0.001, h * 40, (h + 1) * 40).fill(0.24, h * 40, h * 40 + 4);
    expect(keptBy({ norm: 'all' }, trace)[0]).to.deep.equal([0, 1, 2, 3]);
    expect(keptBy({ norm: 'rest' }, trace)[0]!.length).to.be.above(35);
  });

  it('averages attention before its norm, where asked', () => {
    const trace = smallTrace(shape, [windowAttention(1)]);
    const attention = observed(trace, windowAttention(1));
    attention.fill(0);
    // Each head looks at a token of its own, all at the newest.
    for (let h = 0; h < 4; h++) {
      attention[h * 40 + 10 + h] = 0.6;
      attention[h * 40 + 39] = 0.4;
    }
    // norm: 1 − 0.4/√0.52 = 0.445; attention: 1 − 0.4/√(0.16 + 4·0.0225) = 0.2.
    expect(keptBy({ heads: 'norm', threshold: 0.3 }, trace)[0]!.length).to.be.above(5);
    expect(keptBy({ heads: 'attention', threshold: 0.3 }, trace)[0]).to.have.length(5);
  });

  it('keeps whole layers whole, by default the first two', () => {
    const params = dbudgetkv.params.parse({ threshold: 0.5 });
    const trace = traceFor(params);
    const kept = [0, 1, 2].map(
      (layer) => dbudgetkv.plan({ ...trace, layer, layers: 3 }, params, fullPlan(trace)).tokens[0]!.length,
    );
    expect(kept.slice(0, 2)).to.deep.equal([40, 40]);
    expect(kept[2]).to.be.below(40);
  });

  it('may keep everything without that being an error', () => {
    const params = parse({ threshold: 1e-9 });
    const plan = planLayer(traceFor(params), [{ method: 'dbudgetkv', params }]);
    expect(plan.tokens[0]).to.have.length(40);
  });

  it('chooses among what an earlier step has left, and never nothing', () => {
    const params = parse({ threshold: 0.9, sinks: 0 });
    const trace = traceFor(params);
    const early = { method: 'streaming_llm', params: { budget: 10, sinks: 3 } };
    const { tokens } = planLayer(trace, [early, { method: 'dbudgetkv', params }]);
    const left = planLayer(trace, [early]).tokens;
    tokens.forEach((kept, h) => {
      expect([...left[h]!]).to.include.members([...kept]);
      expect(kept.length).to.be.within(1, 9);
    });
  });

  it('keeps one token where no other is attended to, and fails on numbers that are not finite', () => {
    const trace = smallTrace(shape, [windowAttention(1)]);
    const attention = observed(trace, windowAttention(1));
    attention.fill(0);
    expect(keptBy({}, trace)[0]).to.deep.equal([0, 1, 2, 3]);
    expect(keptBy({ sinks: 0 }, trace)[0]).to.deep.equal([39]);
    attention.fill(NaN);
    expect(() => keptBy({}, trace)).to.throw(UserError, /not finite|is NaN/);
  });
});
