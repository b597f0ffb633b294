import { expect } from 'chai';
import fc from 'fast-check';
import { UserError } from '../../src/base/errors.js';
import { dealSamples, parseShard, shardFilter, specOfShard } from '../../src/experiment/shard.js';

const groups = fc.array(fc.record({ samples: fc.integer({ min: 1, max: 40 }) }), {
  minLength: 1,
  maxLength: 12,
});
const counts = fc.integer({ min: 1, max: 30 });

/** The most and the least that a shard gets differ by this. */
function spread(shards: readonly number[], count: number): number {
  const sizes = Array.from({ length: count }, (_, s) => shards.filter((shard) => shard === s + 1).length);
  return Math.max(...sizes) - Math.min(...sizes);
}

describe('runner/shard', () => {
  it('gives every sample to one shard, of every group to each about as many', () => {
    fc.assert(
      fc.property(groups, counts, (all, count) => {
        const shardOf = dealSamples(all, count);
        const filters = Array.from({ length: count }, (_, s) => shardFilter(all, { index: s + 1, count }));
        const dealt = all.map(({ samples }, group) =>
          Array.from({ length: samples }, (_, sample) => {
            const owners = filters.flatMap((owns, s) => (owns(group, sample) ? [s + 1] : []));
            expect(owners).to.deep.equal([shardOf(group, sample)]);
            return owners[0]!;
          }),
        );
        for (const group of [...dealt, dealt.flat()]) expect(spread(group, count)).to.be.at.most(1);
      }),
    );
  });

  it('is all of it without a shard', () => {
    expect(shardFilter([{ samples: 1 }], undefined)(0, 0)).to.equal(true);
    const spec = { output: '/out', name: 'x' };
    expect(specOfShard(spec, undefined)).to.equal(spec);
    expect(specOfShard(spec, { index: 2, count: 8 })).to.deep.equal({
      output: '/out/shards/2-of-8',
      name: 'x',
    });
  });

  it('reads i/n and refuses the rest', () => {
    expect(parseShard('2/8')).to.deep.equal({ index: 2, count: 8 });
    expect(parseShard('1/1')).to.deep.equal({ index: 1, count: 1 });
    const wrong = [
      '',
      '2',
      '0/3',
      '4/3',
      '1/0',
      '01/3',
      ' 1/3',
      '1/3 ',
      '-1/3',
      '1.5/3',
      '1/3/4',
      'a/b',
      '1/100001',
    ];
    for (const text of wrong) {
      expect(() => parseShard(text), text)
        .to.throw(UserError, `got "${text}"`)
        .and.include({ exitCode: 2, place: '--shard' });
    }
  });
});
