import { expect } from 'chai';
import { fullPlan } from '../../../src/cache/plan.js';
import { windowAttention } from '../../../src/methods/observations.js';
import { pyramidkv } from '../../../src/methods/token/pyramidkv.js';
import { snapkv } from '../../../src/methods/token/snapkv.js';
import { smallTrace } from '../support.js';

const tiny = smallTrace({ heads: 2, kvHeads: 1, headDim: 2, length: 1 }, []);

/** Tokens that each of `layers` layers keeps of a prompt of `length`. */
function budgets(raw: Record<string, unknown>, length: number, layers = 32): number[] {
  const params = pyramidkv.params.parse(raw);
  return Array.from({ length: layers }, (_, layer) =>
    pyramidkv.scorer.keep!({ ...tiny, layer, layers }, params, length)!,
  );
}

const flat = (count: number) => Array.from({ length: 32 }, () => count);
const mean = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0) / counts.length;

describe('pyramidkv', () => {
  it('falls from the first layer to the last in equal steps, budget − window on average', () => {
    const counts = budgets({ budget: 2048 }, 7950);
    expect([counts[0], counts[31]]).to.deep.equal([3869, 99]);
    expect(mean(counts)).to.be.closeTo(2048 - 64, 0.5);
    const steps = counts.slice(1).map((count, i) => counts[i]! - count);
    for (const step of steps) expect(step).to.be.within(121, 122); // (3868.8 − 99.2) / 31
  });

  it('ranks no more than the prompt holds: the last layers get what the first cannot use', () => {
    const counts = budgets({ budget: 2048 }, 3000);
    expect([counts[0], counts[31]]).to.deep.equal([2936, 1032]);
    expect(mean(counts)).to.be.closeTo(2048 - 64, 0.5);
  });

  it('keeps the ratio on average, flat where the smallest layer would get less than the window', () => {
    const counts = budgets({ ratio: 0.8 }, 16000);
    expect([counts[0], counts[31]]).to.deep.equal([6240, 160]);
    expect(mean(counts)).to.be.closeTo(3200, 0.5);
    expect(budgets({ ratio: 0.8 }, 4000)).to.deep.equal(flat(800));
  });

  it('where no pyramid fits a budget: 90 % of the prompt as released, the budget when corrected', () => {
    for (const budget of [128, 512, 1024]) {
      expect(budgets({ budget }, 7950)).to.deep.equal(flat(7155));
      expect(budgets({ budget, variant: 'corrected' }, 7950)).to.deep.equal(flat(budget));
    }
    expect(budgets({ budget: 1343 }, 7950)).to.deep.equal(flat(7155));
    expect(budgets({ budget: 1344 }, 7950)[31]).to.equal(64);
    const corrected = { variant: 'corrected' };
    expect(budgets({ budget: 2048, ...corrected }, 7950)).to.deep.equal(budgets({ budget: 2048 }, 7950));
  });

  it('keeps everything at a budget of the prompt length, and the mean in a model of one layer', () => {
    for (const variant of ['released', 'corrected', 'original']) {
      expect(budgets({ budget: 200, variant }, 200)).to.deep.equal(flat(200));
    }
    expect(budgets({ budget: 2048 }, 7950, 1)).to.deep.equal([2048 - 64]);
  });

  it('chooses the tokens that SnapKV chooses', () => {
    const trace = smallTrace({ heads: 4, kvHeads: 2, headDim: 4, length: 60 }, [windowAttention(8)]);
    const fields = { budget: 24, window: 8, kernel: 3 };
    const params = pyramidkv.params.parse({ ...fields, variant: 'corrected' });
    const like = snapkv.params.parse(fields);
    expect(pyramidkv.plan(trace, params, fullPlan(trace)).tokens).to.deep.equal(
      snapkv.plan(trace, like, fullPlan(trace)).tokens,
    );
  });
});
