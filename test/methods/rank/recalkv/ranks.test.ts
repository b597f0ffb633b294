import { expect } from 'chai';
import fc from 'fast-check';
import { allocateRanks, type FisherScores } from '../../../../src/methods/rank/recalkv/ranks.js';
import { golden } from './support.js';

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('ReCalKV ranks', () => {
  golden.ranks.cases.forEach((example, i) => {
    it(`golden case ${i}: ${example.method}, ${example.kept_fraction} kept`, () => {
      const { kv_heads: KV, fisher } = example;
      const perHead = (name: string) => Array<number>(KV).fill(fisher?.[name] ?? 0);
      const scores = Array.from({ length: example.layers }, (_, n) => ({
        keys: perHead(`layers.${n}.k_proj`),
        values: perHead(`layers.${n}.v_proj`),
      }));
      const ranks = allocateRanks(scores, {
        allocation: example.method,
        ratio: 1 - example.kept_fraction,
        groupSize: example.group_size,
        headDim: example.head_dim,
        multiple: 32,
      });
      ranks.forEach(({ keys, values }, n) => {
        expect(keys).to.deep.equal(example.ranks[`layers.${n}.k_proj`]);
        expect(values).to.equal(sum(example.ranks[`layers.${n}.v_proj`]!));
      });
      expect(sum(ranks.map(({ keys, values }) => sum(keys) + values))).to.equal(example.rank_sum);
    });
  });

  const request = { groupSize: 1, headDim: 8, multiple: 1 } as const;

  it('rounds the largest fractions up first in fisher_uniform, the smallest in fisher', () => {
    const scores: FisherScores[] = [{ keys: [2.25], values: [3.75] }]; // of a target of 6
    const ranks = (allocation: 'fisher_uniform' | 'fisher') =>
      allocateRanks(scores, { ...request, ratio: 1 - 6 / 16, allocation });
    expect(ranks('fisher_uniform')).to.deep.equal([{ keys: [2], values: 4 }]);
    expect(ranks('fisher')).to.deep.equal([{ keys: [3], values: 3 }]);
  });

  it('gives every projection one more where the target is no whole number', () => {
    const scores: FisherScores[] = [{ keys: [1], values: [1] }];
    // a target of 6.4: 3.2 each
    expect(allocateRanks(scores, { ...request, ratio: 0.6, allocation: 'fisher_uniform' })).to.deep.equal([
      { keys: [4], values: 4 },
    ]);
  });

  it('scores groups of neighbouring heads in fisher, whole projections in fisher_uniform', () => {
    const scores: FisherScores[] = [{ keys: [1, 3], values: [2, 2] }];
    expect(allocateRanks(scores, { ...request, ratio: 0.5, allocation: 'fisher' })[0]!.keys).to.deep.equal([
      2, 6,
    ]);
    expect(
      allocateRanks(scores, { ...request, ratio: 0.5, allocation: 'fisher_uniform' })[0]!.keys,
    ).to.deep.equal([4, 4]);
  });

  it('rounds half to even multiples, to one at least and to the full rank at most', () => {
    const ranks = (ratio: number, multiple: number, headDim = 8) =>
      allocateRanks([{ keys: [1], values: [1] }], {
        allocation: 'uniform',
        ratio,
        groupSize: 1,
        headDim,
        multiple,
      })[0]!.keys[0];
    expect(ranks(0.25, 4)).to.equal(8); // 6 = 1.5 · 4
    expect(ranks(0.375, 2)).to.equal(4); // 5 = 2.5 · 2
    expect(ranks(0.99, 2)).to.equal(2);
    expect(ranks(0.1, 5)).to.equal(5); // 7.2 = 1.44 · 5
    expect(ranks(0, 5)).to.equal(8); // 8 = 1.6 · 5
  });

  it('keeps every rank within its bounds and the sum near the target', () => {
    const score = fc.double({ min: 0.01, max: 10, noNaN: true });
    const side = fc.array(score, { minLength: 4, maxLength: 4 });
    const layers = fc.array(fc.record({ keys: side, values: side }), { minLength: 1, maxLength: 5 });
    const ratios = fc.double({ min: 0, max: 0.95, noNaN: true });
    const allocations = fc.constantFrom('fisher', 'fisher_uniform', 'uniform' as const);
    fc.assert(
      fc.property(
        layers,
        ratios,
        allocations,
        fc.constantFrom(1, 2, 4, 8),
        (scores, ratio, allocation, multiple) => {
          const ranks = allocateRanks(scores, { allocation, ratio, groupSize: 2, headDim: 16, multiple });
          const blocks = 4 * scores.length; // two groups on each side
          for (const { keys, values } of ranks) {
            expect(keys).to.have.length(2);
            for (const rank of keys) expect(rank % multiple === 0 && rank > 0 && rank <= 32).to.equal(true);
            expect(values).to.be.within(2 * multiple, 64);
          }
          const total = sum(ranks.map(({ keys, values }) => sum(keys) + values));
          const slack = blocks * (1 + multiple); // a lost fraction, and the rounding to a multiple, in each block
          expect(total).to.be.closeTo(blocks * 32 * (1 - ratio), slack);
        },
      ),
    );
  });

  it('gives everything at ratio 0', () => {
    const scores: FisherScores[] = [{ keys: [1, 5], values: [0, 9] }];
    for (const allocation of ['fisher', 'fisher_uniform', 'uniform'] as const) {
      expect(allocateRanks(scores, { ...request, ratio: 0, allocation })).to.deep.equal([
        { keys: [8, 8], values: 16 },
      ]);
    }
  });

  it('refuses scores that are none', () => {
    for (const bad of [0, NaN, Infinity]) {
      const scores: FisherScores[] = [{ keys: [bad], values: [bad] }];
      expect(() => allocateRanks(scores, { ...request, ratio: 0.5, allocation: 'fisher' })).to.throw(
        'Fisher scores',
      );
    }
  });
});
