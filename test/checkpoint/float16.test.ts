import { expect } from 'chai';
import fc from 'fast-check';
import { bfloat16ToFloat32, float16ToFloat32 } from '../../src/checkpoint/float16.js';

const half = (bits: number): number => float16ToFloat32(Uint16Array.of(bits))[0]!;

describe('float16', () => {
  it('knows the corners of float16', () => {
    expect(half(0x3c00)).to.equal(1);
    expect(half(0xc000)).to.equal(-2);
    expect(half(0x7bff)).to.equal(65504);
    expect(half(0x0400)).to.equal(2 ** -14);
    expect(half(0x0001)).to.equal(2 ** -24);
    expect(half(0x83ff)).to.equal(-1023 * 2 ** -24);
    expect(Object.is(half(0x8000), -0)).to.equal(true);
    expect(half(0x7c00)).to.equal(Infinity);
    expect(half(0xfc00)).to.equal(-Infinity);
    expect(half(0x7e01)).to.be.NaN;
  });

  it('reads every float16 as sign · mantissa · 2^exponent', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1 }),
        fc.integer({ min: 0, max: 30 }),
        fc.nat(1023),
        (s, e, m) => {
          const magnitude = e === 0 ? m * 2 ** -24 : (1 + m / 1024) * 2 ** (e - 15);
          return half((s << 15) | (e << 10) | m) === (s === 0 ? magnitude : -magnitude);
        },
      ),
    );
  });

  it('reads bfloat16 as the upper half of a float32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (x) => {
        const bits = new Uint32Array(Float32Array.of(x).buffer)[0]!;
        const expected = new Float32Array(Uint32Array.of((bits >>> 16) << 16).buffer)[0]!;
        return Object.is(bfloat16ToFloat32(Uint16Array.of(bits >>> 16))[0], expected);
      }),
    );
  });

  it('keeps subnormals, infinities and NaN of bfloat16', () => {
    const values = bfloat16ToFloat32(Uint16Array.of(0x0001, 0x7f80, 0xff80, 0x7fc0, 0x8000));
    expect(values[0]).to.equal(2 ** -133);
    expect(values[1]).to.equal(Infinity);
    expect(values[2]).to.equal(-Infinity);
    expect(values[3]).to.be.NaN;
    expect(Object.is(values[4], -0)).to.equal(true);
  });
});
