import { expect } from 'chai';
import fc from 'fast-check';
import { Random, randomFor } from '../../src/base/random.js';

const draws = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32());

describe('random', () => {
  it("is xoshiro128** 1.1: the first numbers of its authors' program from the state 1, 2, 3, 4", () => {
    expect(draws(new Random([1, 2, 3, 4]), 10)).to.deep.equal([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('the same key gives the same stream, another key another one', () => {
    const of = (...key: (string | number)[]) => draws(randomFor(...key), 4).join();
    expect(of('task', 4096, 1, 0)).to.equal(of('task', 4096, 1, 0));
    const others = [
      of('task', 4096, 1, 1),
      of('task', 4096, 2, 0),
      of('task', 8192, 1, 0),
      of('other', 4096, 1, 0),
    ];
    expect(new Set([of('task', 4096, 1, 0), ...others]).size).to.equal(5);
    expect(of('a', 11, 1)).to.not.equal(of('a', 1, 11));
  });

  it('below(n) stays below n and reaches every number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(), (n, seed) => {
        expect(randomFor(seed).below(n)).to.be.within(0, n - 1);
      }),
    );
    const random = randomFor('reach');
    expect(new Set(Array.from({ length: 200 }, () => random.below(7))).size).to.equal(7);
  });

  it('sample draws without replacement and leaves the list alone', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { maxLength: 20 }), fc.nat(), (list, seed) => {
        const before = [...list];
        const count = seed % (list.length + 1);
        const drawn = randomFor(seed).sample(list, count);
        expect(list).to.deep.equal(before);
        expect(new Set(drawn).size).to.equal(count);
        expect(list).to.include.members(drawn);
      }),
    );
  });

  it('shuffle puts every entry in every place about equally often', () => {
    const random = randomFor('shuffle');
    const first = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++) first[random.shuffle([0, 1, 2, 3])[0]!]!++;
    for (const count of first) expect(count).to.be.within(850, 1150);
  });
});
