import { expect } from 'chai';
import { fullPlan } from '../../../src/cache/plan.js';
import { observationKey } from '../../../src/cache/types.js';
import { adakv } from '../../../src/methods/wrappers/adakv.js';
import { criticalkv } from '../../../src/methods/wrappers/criticalkv.js';
import { valueOutputNorms, windowAttention } from '../../../src/methods/observations.js';
import { smallTrace, waves } from '../support.js';

const shape = { heads: 4, kvHeads: 2, headDim: 8, length: 40 };
const base = { base: 'snapkv', with: { window: 4, kernel: 1 } };
const parse = (params: Record<string, unknown>) => criticalkv.params.parse({ ...base, ...params });

/** `norms` of the values through the output projection, by KV head and position. */
function tracedWith(norms: (h: number, t: number) => number) {
  const trace = smallTrace(shape, [windowAttention(4)]);
  const { kvHeads, length } = shape;
  const measured = Float32Array.from({ length: kvHeads * length }, (_, i) =>
    norms(Math.floor(i / length), i % length),
  );
  const observations = new Map([...trace.observations, [observationKey(valueOutputNorms), measured]]);
  return { ...trace, observations };
}

const lists = (tokens: readonly Int32Array[]) => tokens.map((kept) => [...kept]);

describe('criticalkv', () => {
  it('asks for what its base asks for, and for the norms', () => {
    expect(criticalkv.observes(parse({ ratio: 0.5 }))).to.deep.equal([windowAttention(4), valueOutputNorms]);
  });

  it('fills half of the budget by score, the rest by score times norm', () => {
    const trace = tracedWith((_, t) => (t >= 10 && t < 15 ? 100 : 1));
    trace.observations.get(observationKey(windowAttention(4)))!.forEach((_, i, attention) => {
      attention[i] = (i % 40) + 1; // newest best
    });
    const { tokens } = criticalkv.plan(trace, parse({ budget: 10 }), fullPlan(trace));
    // The window's four are worth as much as the best other, 35, which has the lowest position of the five.
    for (const kept of lists(tokens)) expect(kept).to.deep.equal([10, 11, 12, 13, 14, 35, 36, 37, 38, 39]);
  });

  it('with equal norms chooses as the score does', () => {
    const trace = tracedWith(() => 3);
    const params = { base: 'tova', ratio: 0.5 };
    const one = smallTrace(shape, [windowAttention(1)]);
    const observations = new Map([...trace.observations, ...one.observations]);
    const plan = criticalkv.plan({ ...one, observations }, criticalkv.params.parse(params), fullPlan(one));
    const plain = adakv.plan(one, adakv.params.parse({ ...params, alpha: 1 }), fullPlan(one));
    expect(lists(plan.tokens)).to.deep.equal(lists(plain.tokens));
  });

  it('does not protect the window beyond the first stage', () => {
    const trace = tracedWith((_, t) => (t >= 36 ? 0 : 1));
    const { tokens } = criticalkv.plan(trace, parse({ budget: 6, first_stage: 0 }), fullPlan(trace));
    for (const kept of tokens) expect(Math.max(...kept)).to.be.below(36);
  });

  it('adaptive: head budgets are those of adakv', () => {
    const next = waves();
    const trace = tracedWith(() => 1 + Math.abs(next()));
    for (const alpha of [0, 0.2, 0.9]) {
      const critical = criticalkv.plan(trace, parse({ ratio: 0.6, adaptive: true, alpha }), fullPlan(trace));
      const shared = adakv.plan(trace, adakv.params.parse({ ...base, ratio: 0.6, alpha }), fullPlan(trace));
      expect(critical.tokens.map(({ length }) => length)).to.deep.equal(
        shared.tokens.map(({ length }) => length),
      );
      expect(lists(critical.tokens)).to.not.deep.equal(lists(shared.tokens));
    }
  });
});
