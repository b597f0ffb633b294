import { expect } from 'chai';
import fc from 'fast-check';
import { fractionRecited } from '../../../src/tasks/recite/score.js';

/** Different numbers, as a list has them. */
const lists = fc.uniqueArray(fc.integer({ min: 1_000_000, max: 9_999_999 }).map(String), {
  minLength: 1,
  maxLength: 30,
});
const asLines = (numbers: readonly string[]) => numbers.map((number) => `- big-dog: ${number}\n`).join('');

describe('fractionRecited', () => {
  it('is 1 for the whole list, whatever stands around it', () => {
    fc.assert(
      fc.property(lists, (list) => {
        expect(fractionRecited(`\n${asLines(list)}End of the list.`, list)).to.equal(1);
        expect(fractionRecited(`Sure: ${list.join(', ')} and 12 more`, list)).to.equal(1);
      }),
    );
  });

  it('loses one line for each that is missing, and none for what is added', () => {
    fc.assert(
      fc.property(lists, fc.infiniteStream(fc.boolean()), (list, coins) => {
        const told = list.filter(() => coins.next().value);
        const padded = told.flatMap((number) => [number, '17']);
        expect(fractionRecited(asLines(padded), list)).to.equal(told.length / list.length);
      }),
    );
  });

  it('counts only what is in order', () => {
    const list = ['1111111', '2222222', '3333333', '4444444'];
    expect(fractionRecited(asLines([...list].reverse()), list)).to.equal(1 / 4);
    expect(fractionRecited(asLines(['2222222', '1111111', '3333333', '4444444']), list)).to.equal(3 / 4);
    expect(fractionRecited(asLines(['4444444', '1111111', '2222222', '3333333']), list)).to.equal(3 / 4);
    expect(fractionRecited(asLines(['1111111', '1111111', '1111111', '1111111']), list)).to.equal(1 / 4);
  });

  it('a number must be whole and by itself', () => {
    expect(fractionRecited('11111112', ['1111111'])).to.equal(0);
    expect(fractionRecited('111111', ['1111111'])).to.equal(0);
    expect(fractionRecited('', ['1111111'])).to.equal(0);
    expect(fractionRecited('(1111111)', ['1111111'])).to.equal(1);
  });

  it('is symmetric in what is swapped, and never leaves [0, 1]', () => {
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        const score = fractionRecited(asLines(a), b);
        expect(score).to.be.within(0, 1);
        expect(score * b.length).to.be.closeTo(fractionRecited(asLines(b), a) * a.length, 1e-9);
      }),
    );
  });

  it('needs a list', () => {
    expect(() => fractionRecited('1', [])).to.throw(RangeError);
  });
});
