import { expect } from 'chai';
import fc from 'fast-check';
import * as z from 'zod';
import { UserError } from '../../../src/base/errors.js';
import { windowAttention } from '../../../src/methods/observations.js';
import { planLayer } from '../../support/planning.js';
import { fullPlan } from '../../../src/cache/plan.js';
import { snapkv } from '../../../src/methods/token/snapkv.js';
import { streamingLlm } from '../../../src/methods/token/streaming-llm.js';
import { budgetFields, tokenMethod } from '../../../src/methods/token/token-method.js';
import { smallTrace } from '../support.js';

const shape = { heads: 4, kvHeads: 2, headDim: 4, length: 20 };

/** Keeps by position modulo 7, high first; the last two always stay. */
const modular = tokenMethod<{ budget?: number | undefined; ratio?: number | undefined }>({
  name: 'modular',
  summary: '',
  paper: '',
  notes: [],
  params: z.strictObject(budgetFields),
  observes: () => [],
  alwaysKept: () => ({ first: 0, last: 2, of: 'the last two' }),
  score: ({ kvHeads, length }) => Float32Array.from({ length: kvHeads * length }, (_, i) => (i % length) % 7),
});

const keptBy = (params: { budget?: number; ratio?: number }, length = 20) => {
  const trace = smallTrace({ ...shape, length }, []);
  return modular.plan(trace, params, fullPlan(trace)).tokens.map((tokens) => [...tokens]);
};

describe('token methods', () => {
  it('the budget counts what always stays; ties go to the lower position; positions ascend', () => {
    expect(keptBy({ budget: 5 })).to.deep.equal([
      [5, 6, 13, 18, 19],
      [5, 6, 13, 18, 19],
    ]);
  });

  it('a budget is capped at the prompt, a ratio keeps ⌊S·(1 − ratio)⌋', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 60 }), fc.integer({ min: 2, max: 80 }), (length, budget) => {
        for (const tokens of keptBy({ budget }, length))
          expect(tokens).to.have.length(Math.min(budget, length));
      }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 60 }),
        fc.double({ min: 0, max: 0.75, noNaN: true }),
        (length, ratio) => {
          for (const tokens of keptBy({ ratio }, length))
            expect(tokens).to.have.length(Math.trunc(length * (1 - ratio)));
        },
      ),
    );
  });

  it('refines the given plan: only positions that it still holds, the ratio of what it holds', () => {
    const trace = smallTrace(shape, []);
    const first = modular.plan(trace, { budget: 10 }, fullPlan(trace));
    const second = streamingLlm.plan(trace, { ratio: 0.5, sinks: 1 }, first);
    second.tokens.forEach((tokens, h) => {
      expect(tokens).to.have.length(5);
      expect([...first.tokens[h]!]).to.include.members([...tokens]);
    });
  });

  it('fails where what always stays does not fit, and where nothing would stay', () => {
    expect(() => keptBy({ ratio: 0.95 })).to.throw(UserError, /keep 1 of 20 tokens, fewer than the 2/);
    const trace = smallTrace(shape, []);
    expect(() => streamingLlm.plan(trace, { ratio: 0.99, sinks: 0 }, fullPlan(trace))).to.throw(UserError);
  });

  it('fails on scores that are not finite', () => {
    const trace = smallTrace({ ...shape, length: 100 }, [windowAttention(64)]);
    trace.observations.forEach((attention) => attention.fill(NaN));
    const params = snapkv.params.parse({ budget: 70 });
    expect(() => snapkv.plan(trace, params, fullPlan(trace))).to.throw(UserError, /score of token 0/);
  });

  it('fails after channels were pruned', () => {
    const trace = smallTrace(shape, []);
    const plan = { ...fullPlan(trace), keys: { codec: 'channels' as const, masks: [], recent: 0 } };
    expect(() => modular.plan(trace, { budget: 5 }, plan)).to.throw(UserError, /dense keys/);
  });

  it('budgets and ratios are validated', () => {
    const messages = (method: typeof snapkv | typeof streamingLlm, params: unknown) =>
      method.params
        .safeParse(params)
        .error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
    expect(messages(snapkv, { budget: 64 })).to.deep.equal([]);
    expect(messages(snapkv, {})[0]).to.contain('exactly one of budget');
    expect(messages(snapkv, { budget: 100, ratio: 0.5 })[0]).to.contain('exactly one of budget');
    expect(messages(snapkv, { budget: 63 })[0]).to.contain('budget: expected at least 64');
    expect(messages(snapkv, { budget: 63, window: 32 })).to.deep.equal([]);
    expect(messages(snapkv, { ratio: 0.5, kernel: 4 })[0]).to.contain('kernel: expected an odd number');
    expect(messages(snapkv, { ratio: 1 })).to.have.length(1);
    expect(messages(streamingLlm, { budget: 4 })[0]).to.contain('budget: expected at least 5');
  });
});

describe('streaming_llm', () => {
  it('keeps the first sinks and the most recent tokens', () => {
    const trace = smallTrace(shape, []);
    const [tokens] = planLayer(trace, [{ method: 'streaming_llm', params: { budget: 7, sinks: 3 } }]).tokens;
    expect([...tokens!]).to.deep.equal([0, 1, 2, 16, 17, 18, 19]);
  });
});

describe('snapkv', () => {
  const params = snapkv.params.parse({ budget: 12, window: 8, kernel: 3 });

  it('pools over the ranked positions with zeros beyond them, then averages the group', () => {
    const trace = smallTrace(shape, [windowAttention(8)]);
    const attention = [...trace.observations.values()][0]!;
    attention.fill(0);
    // KV head 0 has query heads 0 and 1. Peaks of .3 at 4 (head 0) and .33 at 0 (head 1); the pooled peak at 0 has
    // one neighbour only. Attention inside the window must not leak into its neighbour 11.
    attention.set([0.3], 4);
    attention.set([0.33], 20);
    attention.fill(1, 12, 20);
    expect([...snapkv.plan(trace, params, fullPlan(trace)).tokens[0]!]).to.deep.equal([
      0, 1, 3, 4, 12, 13, 14, 15, 16, 17, 18, 19,
    ]);
  });

  it('keeps a prompt that is no longer than the window', () => {
    const trace = smallTrace({ ...shape, length: 6 }, [windowAttention(8)]);
    expect(snapkv.plan(trace, params, fullPlan(trace)).tokens[0]).to.have.length(6);
    expect(snapkv.asksForNothing(trace, params, fullPlan(trace))).to.be.true;
  });
});
