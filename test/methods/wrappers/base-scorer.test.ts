/** Methods on top of another's score: every scoring method can be the base of each. */
import { expect } from 'chai';
import { checkPlan, fullPlan } from '../../../src/cache/plan.js';
import { adakv } from '../../../src/methods/wrappers/adakv.js';
import { criticalkv } from '../../../src/methods/wrappers/criticalkv.js';
import { methods } from '../../../src/methods/built-in.js';
import { scorers } from '../../../src/methods/wrappers/scorers.js';
import type { Method } from '../../../src/methods/types.js';
import { randomFrom } from '../../cache/support.js';
import { anyTrace } from '../any-trace.js';
import { atOnce } from '../../support/planning.js';

const shape = { heads: 6, kvHeads: 3, headDim: 32, length: 100 };

describe('methods on another method’s score', () => {
  it('can take every scoring method but streaming_llm, which knows positions only', () => {
    const scoring = [...methods.values()].filter((method) => 'scorer' in method).map(({ name }) => name);
    expect([...scorers.keys(), 'streaming_llm']).to.have.members(scoring);
  });

  for (const base of scorers.keys()) {
    for (const method of [adakv, criticalkv] as Method[]) {
      it(`${method.name} on ${base} keeps what the base would, in all heads together`, () => {
        const params = method.params.parse({ base, ratio: 0.3 });
        const needs = { observations: method.observes(params), lowRank: false };
        const trace = anyTrace(shape, needs, randomFrom(7));
        const plan = atOnce(method.plan(trace, params, fullPlan(trace)));
        const own = methods.get(base)!;
        const alone = atOnce(own.plan(trace, own.params.parse({ ratio: 0.3 }), fullPlan(trace)));
        checkPlan(trace, plan);
        const total = (tokens: readonly Int32Array[]) => tokens.reduce((sum, { length }) => sum + length, 0);
        expect(total(plan.tokens)).to.equal(total(alone.tokens));
        expect(total(plan.tokens)).to.be.below(300);
      });
    }
  }
});
