import { expect } from 'chai';
import fc from 'fast-check';
import { round, roundScaled } from '../../../src/tasks/scorers/rounding.js';

/** Rounding of the exact value, in integers: mantissa · 2^(exponent) · 10^digits, ties to even. */
function exactlyRounded(value: number, digits: number): number {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0]!;
  const field = Number((bits >> 52n) & 0x7ffn);
  const mantissa = (bits & ((1n << 52n) - 1n)) | (field === 0 ? 0n : 1n << 52n);
  const denominator = 1n << BigInt(1075 - Math.max(field, 1));
  const scaled = mantissa * 10n ** BigInt(digits);
  const below = scaled / denominator;
  const twiceRest = 2n * (scaled % denominator);
  const up = twiceRest > denominator || (twiceRest === denominator && below % 2n === 1n);
  return Number(`${below + (up ? 1n : 0n)}e-${digits}`);
}

describe('rounding', () => {
  it('sends exact halves to the even neighbour', () => {
    expect(round(3.125, 2)).to.equal(3.12);
    expect(round(9.375, 2)).to.equal(9.38);
    expect(round(12.5, 0)).to.equal(12);
    expect(round(37.5, 0)).to.equal(38);
    expect(round(-3.125, 2)).to.equal(-3.12);
  });

  it('goes by the exact value of the double', () => {
    expect(round(2.675, 2)).to.equal(2.67); // 2.67499999…
    expect(round(1.005, 2)).to.equal(1); // 1.00499999…
    expect(roundScaled(1.005, 2)).to.equal(1); // 100.49999999999999
    expect(round(0.285, 2)).to.equal(0.28); // 0.28499999…
    expect(roundScaled(0.285, 2)).to.equal(0.28); // 28.499999999999996
    expect(round(0.145, 2)).to.equal(0.14); // 0.14499999…
    expect(roundScaled(1.115, 2)).to.equal(1.12); // scaling gives 111.50000000000001
    expect(round(1.115, 2)).to.equal(1.11); // 1.11499999…
  });

  it('equals rounding in exact integers', () => {
    const halves = fc.integer({ min: 0, max: 800 }).map((eighths) => eighths / 8);
    const values = fc.oneof(halves, fc.double({ min: 0, max: 100, noNaN: true }));
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 4 }), (value, digits) => {
        expect(round(value, digits)).to.equal(exactlyRounded(value, digits));
      }),
    );
  });
});
