import { expect } from 'chai';
import fc from 'fast-check';
import { paretoFront } from '../../../src/report/plots/pareto.js';

type Item = readonly [cost: number, value: number];
const front = (items: readonly Item[]): Item[] =>
  paretoFront(
    items,
    ([cost]) => cost,
    ([, value]) => value,
  );

describe('report/plots/pareto', () => {
  it('keeps what nothing cheaper equals', () => {
    const items: Item[] = [
      [3, 5],
      [1, 2],
      [2, 2],
      [2, 4],
      [4, 4],
      [1, 1],
    ];
    expect(front(items)).to.deep.equal([
      [1, 2],
      [2, 4],
      [3, 5],
    ]);
  });

  it('dominates everything else, and nothing on it dominates another', () => {
    const item = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const kept = front(items);
        const covers = ([a, b]: Item, [c, d]: Item): boolean => a <= c && b >= d;
        expect(items.every((one) => kept.some((best) => covers(best, one)))).to.equal(true);
        expect(kept.every((one) => kept.every((other) => one === other || !covers(other, one)))).to.equal(
          true,
        );
      }),
    );
  });
});
