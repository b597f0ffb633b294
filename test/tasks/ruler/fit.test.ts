import { expect } from 'chai';
import fc from 'fast-check';
import { largestFitting } from '../../../src/tasks/ruler/fit.js';

describe('largestFitting', () => {
  it('finds the last count that fits a rising cost', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 1, max: 50 }),
        (steps, limit, stride) => {
          const costs = [10];
          for (const step of steps) costs.push(costs.at(-1)! + step);
          const cost = (count: number) => costs[count] ?? costs.at(-1)! + 7 * (count - costs.length + 1);
          const found = largestFitting(cost, { least: 0, stride, limit });
          if (limit < 10) {
            expect(found).to.be.undefined;
          } else {
            expect(cost(found!)).to.be.at.most(limit);
            expect(cost(found! + 1)).to.be.above(limit);
          }
        },
      ),
    );
  });

  it('needs few evaluations where the cost is nearly linear', () => {
    let calls = 0;
    const cost = (count: number) => {
      calls++;
      return 100 + Math.round(1.31 * count + 3 * Math.sin(count));
    };
    expect(largestFitting(cost, { least: 50, stride: 500, limit: 100_000 })).to.be.within(76_250, 76_270);
    expect(calls).to.be.at.most(10);
  });

  it('needs few evaluations where a nearly linear cost rises in steps', () => {
    for (const at of [0, 7, 23, 39]) {
      let calls = 0;
      const cost = (count: number) => {
        calls++;
        return 2 * count + 46 * Math.floor((count + at) / 40);
      };
      const found = largestFitting(cost, { least: 53, stride: 327, limit: 16_334 })!;
      expect(cost(found)).to.be.at.most(16_334);
      expect(cost(found + 1)).to.be.above(16_334);
      expect(calls - 2).to.be.at.most(12);
    }
  });

  it('ends at the most that there are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 50 }),
        (most, limit, stride) => {
          const cost = (count: number) => {
            expect(count).to.be.within(1, most);
            return 7 * count;
          };
          const found = largestFitting(cost, { least: 1, most, stride, limit });
          expect(found).to.equal(limit < 7 ? undefined : Math.min(most, Math.floor(limit / 7)));
        },
      ),
    );
  });

  it('ends on costs that jump', () => {
    const cost = (count: number) => (count < 777 ? 1 : 1_000_000);
    expect(largestFitting(cost, { least: 1, stride: 5, limit: 500 })).to.equal(776);
  });
});
