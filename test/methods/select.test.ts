import { expect } from 'chai';
import fc from 'fast-check';
import { indicesOfLargest, kthLargest, markLargest } from '../../src/methods/select.js';

/** Few distinct values, so that ties are common. */
const lists = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ noNaN: true })), {
  minLength: 1,
  maxLength: 40,
});

describe('select', () => {
  it('kthLargest is the k-th of the sorted list', () => {
    fc.assert(
      fc.property(lists, fc.nat(), (list, pick) => {
        const values = Float32Array.from(list);
        const k = 1 + (pick % values.length);
        const sorted = Float32Array.from(values).sort().reverse();
        expect(kthLargest(Float32Array.from(values), k)).to.equal(sorted[k - 1]! + 0);
      }),
    );
  });

  it('indicesOfLargest is a stable sort by falling value, cut at k, in ascending order', () => {
    fc.assert(
      fc.property(lists, fc.nat(), (list, pick) => {
        const values = Float32Array.from(list);
        const k = pick % (values.length + 1);
        const expected = [...values.keys()]
          .sort((a, b) => (values[a] === values[b] ? a - b : values[a]! < values[b]! ? 1 : -1))
          .slice(0, k)
          .sort((a, b) => a - b);
        expect([...indicesOfLargest(values, k)]).to.deep.equal(expected);
      }),
    );
  });

  it('ties go to the lower index', () => {
    expect([...indicesOfLargest(Float32Array.of(1, 2, 2, 2, 0), 2)]).to.deep.equal([1, 2]);
  });

  it('markLargest writes only its own stretch of the mask and leaves the values alone', () => {
    const values = Float32Array.of(3, 1, 2);
    const mask = new Uint8Array(7);
    const threshold = markLargest(values, 2, mask, 2, new Float32Array(3));
    expect(threshold).to.equal(2);
    expect([...mask]).to.deep.equal([0, 0, 1, 0, 1, 0, 0]);
    expect([...values]).to.deep.equal([3, 1, 2]);
  });

  it('ends on NaN', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(NaN, 1, 2, -Infinity), { minLength: 1, maxLength: 20 }),
        (list) => {
          kthLargest(Float32Array.from(list), 1 + Math.floor(list.length / 2));
        },
      ),
    );
  });
});
