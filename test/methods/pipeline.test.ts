import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { windowAttention, windowQueries } from '../../src/methods/observations.js';
import { observationsOf, planLayer } from '../support/planning.js';
import { fullPlan } from '../../src/cache/plan.js';
import { LayerPlans } from '../../src/methods/layer-plans.js';
import { methods } from '../../src/methods/built-in.js';
import type { MethodStep } from '../../src/methods/types.js';
import { smallTrace } from './support.js';

const shape = { heads: 4, kvHeads: 2, headDim: 16, length: 40 };
const step = (method: string, params: Record<string, unknown>): MethodStep => ({
  method,
  params: methods.get(method)!.params.parse(params) as Record<string, unknown>,
});
const traceFor = (...steps: MethodStep[]) => smallTrace(shape, observationsOf([{ label: '', steps }]));

describe('planLayer', () => {
  it('no steps: the full plan', () => {
    const plan = planLayer(traceFor(), []);
    expect(plan).to.deep.equal(fullPlan(shape));
    expect([...plan.tokens[1]!]).to.deep.equal([...Array(40).keys()]);
  });

  it('applies the steps in order, each to the plan of the one before', () => {
    const steps = [step('snapkv', { budget: 20, window: 8 }), step('spark', { ratio: 0.5 })];
    const plan = planLayer(traceFor(...steps), steps);
    expect(plan.tokens.map((tokens) => tokens.length)).to.deep.equal([20, 20]);
    expect(plan.keys.codec === 'sparse' && plan.keys.heads[0]!.mask.length).to.equal(20 * 16);
  });

  for (const [name, asked] of [
    ['snapkv, ratio on a prompt inside the window', step('snapkv', { ratio: 0.5, window: 64 })],
    ['think, every token recent', step('think', { ratio: 0.5, recent: 40 })],
    ['spark, less than a channel', step('spark', { ratio: 0.05 })],
    ['spark, less than a channel of the values', step('spark', { ratio: 0.5, value_ratio: 0.05 })],
  ] as const) {
    it(`fails where compression was asked for and not applied: ${name}`, () => {
      expect(() => planLayer(traceFor(asked), [asked])).to.throw(UserError, /changed nothing|prunes none/);
    });
  }

  for (const [name, asked] of [
    ['a budget above the prompt', step('snapkv', { budget: 64 })],
    ['streaming_llm at ratio 0', step('streaming_llm', { ratio: 0 })],
    ['spark at ratio 0', step('spark', { ratio: 0 })],
    ['think at ratio 0', step('think', { ratio: 0 })],
  ] as const) {
    it(`accepts what asks for nothing: ${name}`, () => {
      expect(planLayer(traceFor(asked), [asked])).to.deep.equal(fullPlan(shape));
    });
  }

  it('an equal but new plan is a plan that changed nothing', () => {
    const copying = new Map([['spark', { ...methods.get('spark')!, plan: () => fullPlan(shape) }]]);
    expect(() => planLayer(traceFor(), [step('spark', { ratio: 0.5 })], copying)).to.throw(
      UserError,
      /changed nothing/,
    );
  });

  it('waits for a method that plans later, once for all pipelines that begin with it', async () => {
    let asked = 0;
    const snapkv = methods.get('snapkv')!;
    const plan: typeof snapkv.plan = async (...given) => {
      asked++;
      await Promise.resolve();
      return snapkv.plan(...given);
    };
    const later = new Map([...methods, ['snapkv', { ...snapkv, plan }]]);
    const steps = [step('snapkv', { budget: 20, window: 8 }), step('spark', { ratio: 0.5 })];
    const trace = traceFor(...steps);
    const plans = new LayerPlans(trace, later);
    const [both, first] = await Promise.all([plans.of(steps), plans.of(steps.slice(0, 1))]);
    expect(both).to.deep.equal(planLayer(trace, steps));
    expect(first.tokens).to.equal(both.tokens);
    expect(asked).to.equal(1);
  });

  it('an unknown method is a mistake of the spec', () => {
    expect(() => planLayer(traceFor(), [{ method: 'snapvk', params: {} }])).to.throw(
      UserError,
      /unknown method "snapvk"/,
    );
  });
});

describe('observationsOf', () => {
  it('is the union over all steps, each observation once', () => {
    const pipelines = [
      { label: 'a', steps: [step('snapkv', { budget: 64 }), step('spark', { ratio: 0.5 })] },
      { label: 'b', steps: [step('snapkv', { budget: 80 }), step('think', { ratio: 0.5 })] },
      {
        label: 'c',
        steps: [step('streaming_llm', { budget: 64 }), step('spark', { ratio: 0.5, window: 8 })],
      },
      { label: 'full', steps: [] },
    ];
    expect(observationsOf(pipelines)).to.deep.equal([
      windowAttention(64),
      windowQueries(32),
      windowQueries(8),
    ]);
  });
});
