/** float32 → bfloat16. */
import { expect } from 'chai';
import fc from 'fast-check';
import { bitsOf, EntryWriter, roundToBfloat16 } from '../../src/kernels/entries.js';
import { openKernels } from '../../src/kernels/index.js';
import { entriesOf } from '../../src/kernels/rounding.js';

function widen(half: number): number {
  return new Float32Array(Uint32Array.of(half * 0x1_0000).buffer)[0]!;
}

describe('roundToBfloat16', () => {
  it('takes the nearest bfloat16, the even one of two', () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 126), max: 2 ** 126 }),
        (x) => {
          const half = roundToBfloat16(bitsOf(Float32Array.of(x))[0]!);
          const error = Math.abs(widen(half) - x);
          const others = [half - 1, half + 1].filter(
            (other) => Math.floor(other / 0x8000) === Math.floor(half / 0x8000),
          );
          for (const other of others) {
            const otherError = Math.abs(widen(other) - x);
            expect(error).to.be.at.most(otherError);
            if (error === otherError) expect(half % 2).to.equal(0);
          }
        },
      ),
    );
  });

  it('keeps zeros, infinities and NaN', () => {
    const rounded = (bits: number): number => roundToBfloat16(bits);
    expect(rounded(0)).to.equal(0);
    expect(rounded(0x8000_0000)).to.equal(0x8000);
    expect(rounded(0x7f80_0000)).to.equal(0x7f80);
    expect(rounded(0xff80_0000)).to.equal(0xff80);
    for (const nan of [0x7f80_0001, 0x7fff_ffff, 0xffff_ffff, 0xff80_0001, 0x7fc0_0000]) {
      expect(widen(rounded(nan)), nan.toString(16)).to.be.NaN;
    }
    expect(rounded(0x7f7f_ffff), 'beyond the largest bfloat16').to.equal(0x7f80);
  });
});

describe('entriesOf', () => {
  it('rounds a block as it rounds one number', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff_ffff), { maxLength: 40 }), (bits) => {
        const found = entriesOf(Uint32Array.from(bits), 'bfloat16');
        expect([...found]).to.deep.equal(bits.map(roundToBfloat16));
      }),
    );
  });

  it('takes more than a block, and every kind of number', () => {
    const bits = Uint32Array.from({ length: 70_001 }, (_, i) => Math.imul(i, 0x9e37_79b9));
    bits.set(
      [0, 0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x7f80_0001, 0xffff_ffff, 0x7f7f_ffff, 0x3f80_8000],
      65_533,
    );
    expect(entriesOf(bits, 'bfloat16')).to.deep.equal(Uint16Array.from(bits, roundToBfloat16));
  });

  it('leaves float32 as it is', () => {
    const bits = Uint32Array.of(1, 2);
    expect(entriesOf(bits, 'float32')).to.equal(bits);
  });
});

describe('EntryWriter', () => {
  it('fills a buffer piece by piece', () => {
    const { memory } = openKernels();
    const pointer = memory.alloc(16);
    const numbers = Float32Array.of(1, -2, 3, 0.1);
    const writer = new EntryWriter(memory, 'bfloat16', pointer, 3);
    writer.write(bitsOf(numbers), 1, 2);
    writer.write(bitsOf(numbers), 3, 1);
    expect([...memory.halves(pointer, 3)].map(widen)).to.deep.equal([-2, 3, Math.fround(0.10009765625)]);
    memory.free(pointer);
  });
});
