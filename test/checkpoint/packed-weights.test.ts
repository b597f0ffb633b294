import { expect } from 'chai';
import fc from 'fast-check';
import {
  matrixOf,
  packFloats,
  type PackedWeights,
  sameWeights,
  type WeightForm,
  widenWeights,
} from '../../src/checkpoint/packed-weights.js';

/** Halves as packed weights of one row. */
const halves = (form: 'bf16' | 'f16', ...bits: readonly number[]): PackedWeights => ({
  ...{ form, rows: 1, columns: bits.length, rowBytes: 2 * bits.length },
  data: new Uint8Array(Uint16Array.from(bits).buffer),
});
const half = (bits: number): number => widenWeights(halves('f16', bits))[0]!;

describe('packed weights', () => {
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

  it('widens every float16 as sign · mantissa · 2^exponent', () => {
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

  it('widens bfloat16 as the upper half of a float32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (x) => {
        const bits = new Uint32Array(Float32Array.of(x).buffer)[0]!;
        const expected = new Float32Array(Uint32Array.of((bits >>> 16) << 16).buffer)[0]!;
        return Object.is(widenWeights(halves('bf16', bits >>> 16))[0], expected);
      }),
    );
  });

  it('keeps subnormals, infinities and NaN of bfloat16', () => {
    const values = widenWeights(halves('bf16', 0x0001, 0x7f80, 0xff80, 0x7fc0, 0x8000));
    expect(values[0]).to.equal(2 ** -133);
    expect(values[1]).to.equal(Infinity);
    expect(values[2]).to.equal(-Infinity);
    expect(values[3]).to.be.NaN;
    expect(Object.is(values[4], -0)).to.equal(true);
  });

  it('packs floats where they are, and widens them into other memory', () => {
    const all = Float32Array.of(9, 1, -0, 3, 4, 5, 6);
    const packed = packFloats([2, 3], all.subarray(1));
    expect(packed).to.include({ form: 'f32', rows: 2, columns: 3, rowBytes: 12 });
    expect(packed.data.buffer).to.equal(all.buffer);
    const wide = widenWeights(packed);
    expect([...wide]).to.deep.equal([1, -0, 3, 4, 5, 6]);
    wide[0] = 7;
    expect(all[1]).to.equal(1);
    expect(packFloats([3], Float32Array.of(1, 2, 3))).to.include({ rows: 1, columns: 3, rowBytes: 12 });
    expect(matrixOf([4, 3, 2])).to.deep.equal({ rows: 12, columns: 2 });
    expect(matrixOf([])).to.deep.equal({ rows: 1, columns: 1 });
  });

  it('widens 8-bit blocks as fl(fl(scale · code) + minimum), in memory that is shared too', () => {
    const float = fc.float({ noNaN: true, min: -1000, max: 1000 });
    const codes = fc.integer({ min: -128, max: 127 });
    for (const [form, numbers] of [
      ['q8', 32],
      ['q8x16', 16],
    ] as const satisfies readonly (readonly [WeightForm, number])[]) {
      const block = fc.tuple(float, float, fc.array(codes, { minLength: numbers, maxLength: numbers }));
      fc.assert(
        fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), (blocks) => {
          const rowBytes = (8 + numbers) * blocks.length;
          const data = new Uint8Array(new SharedArrayBuffer(4 + rowBytes), 4);
          const view = new DataView(data.buffer, 4);
          const expected = blocks.flatMap(([scale, minimum, ofBlock], b) => {
            const at = b * (8 + numbers);
            view.setFloat32(at, scale, true);
            view.setFloat32(at + 4, minimum, true);
            ofBlock.forEach((code, i) => {
              view.setInt8(at + 8 + i, code);
            });
            return ofBlock.map((code) => Math.fround(Math.fround(scale * code) + minimum));
          });
          const packed = { form, rows: 1, columns: numbers * blocks.length, rowBytes, data };
          expect([...widenWeights(packed)]).to.deep.equal(expected);
        }),
        { numRuns: 40, seed: 8 },
      );
    }
  });

  it('compares numbers, whatever the forms', () => {
    const floats = packFloats([1, 2], Float32Array.of(1, -2));
    expect(sameWeights(floats, packFloats([1, 2], Float32Array.of(1, -2)))).to.equal(true);
    expect(sameWeights(floats, packFloats([1, 2], Float32Array.of(1, -2.5)))).to.equal(false);
    expect(sameWeights(floats, packFloats([2, 1], Float32Array.of(1, -2)))).to.equal(false);
    expect(sameWeights(floats, halves('f16', 0x3c00, 0xc000))).to.equal(true);
    expect(sameWeights(halves('bf16', 0), halves('bf16', 0x8000))).to.equal(true);
  });
});
