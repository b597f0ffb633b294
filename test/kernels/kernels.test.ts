/** Kernels on their own: softmax, and columns gathered and added back. */
import { expect } from 'chai';
import fc from 'fast-check';
import { openKernels } from '../../src/kernels/index.js';

const kernels = openKernels();
const { memory } = kernels;

describe('Kernels.softmax', () => {
  it('equals float64 softmax over what each row sees', () => {
    const shape = fc.record({
      visible: fc.integer({ min: 1, max: 40 }),
      tokens: fc.integer({ min: 1, max: 6 }),
      group: fc.integer({ min: 1, max: 4 }),
      spread: fc.constantFrom(0.1, 3, 100),
    });
    fc.assert(
      fc.property(shape, fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })), (s, numbers) => {
        const rows = s.tokens * s.group;
        const stride = Math.ceil((s.visible + s.tokens) / 4) * 4;
        const x = Float32Array.from({ length: rows * stride }, () => s.spread * numbers.next().value);
        const pointer = memory.alloc(4 * x.length);
        memory.floats(pointer, x.length).set(x);
        kernels.softmax(pointer, rows, stride, { visible: s.visible, group: s.group }, 0.5);
        const got = memory.floats(pointer, x.length).slice();
        memory.free(pointer);
        for (let r = 0; r < rows; r++) {
          const seen = s.visible + Math.floor(r / s.group);
          const row = [...x.subarray(r * stride, r * stride + seen)];
          const largest = Math.max(...row);
          const weights = row.map((v) => Math.exp((v - largest) * 0.5));
          const sum = weights.reduce((a, b) => a + b);
          weights.forEach((weight, i) => {
            expect(got[r * stride + i]).to.be.closeTo(weight / sum, 1e-6 + (2e-5 * weight) / sum);
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('lets NaN through', () => {
    const pointer = memory.alloc(16);
    memory.floats(pointer, 4).set([1, NaN, 2, 3]);
    kernels.softmax(pointer, 1, 4, { visible: 4, group: 1 }, 1);
    expect(memory.floats(pointer, 4)[0]).to.be.NaN;
    memory.free(pointer);
  });
});

describe('Kernels.gather and scatterAdd', () => {
  it('take the kept columns and add them back', () => {
    const [mask, wide, narrow] = [memory.alloc(1), memory.alloc(64), memory.alloc(64)];
    memory.bytes(mask, 1)[0] = 0b1000_0110;
    memory.floats(wide, 16).set(Array.from({ length: 16 }, (_, i) => i));
    memory.floats(narrow, 16).fill(9);
    kernels.gather(mask, 8, 3, wide, 2, narrow);
    expect([...memory.floats(narrow, 8)]).to.deep.equal([1, 2, 7, 0, 9, 10, 15, 0]);
    kernels.scatterAdd(mask, 8, 3, narrow, 2, wide);
    expect([...memory.floats(wide, 16)]).to.deep.equal([
      0, 2, 4, 3, 4, 5, 6, 14, 8, 18, 20, 11, 12, 13, 14, 30,
    ]);
    for (const pointer of [mask, wide, narrow]) memory.free(pointer);
  });
});
