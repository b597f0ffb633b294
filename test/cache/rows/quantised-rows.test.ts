/** Codes on their own: packing, the arithmetic of a group, and rows as kernels and the plain reading see them. */
import { expect } from 'chai';
import fc from 'fast-check';
import { codeAt, packCodes } from '../../../src/cache/encode/pack-codes.js';
import { PackedBuffers } from '../../../src/cache/packed-buffers.js';
import { quantiseGroup, settledTokens } from '../../../src/cache/encode/quantise.js';
import { QuantisedRows, quantiseRows } from '../../../src/cache/rows/quantised-rows.js';
import { openKernels } from '../../../src/kernels/index.js';
import { randomFrom, randomNumbers } from '../support.js';

const kernels = openKernels();
const bits = fc.constantFrom(2 as const, 4 as const, 8 as const);
const dtype = fc.constantFrom('bfloat16' as const, 'float32' as const);

function quantised(
  entries: readonly number[],
  b: number,
  format: 'bfloat16' | 'float32' = 'float32',
): { scale: number; minimum: number; codes: number[] } {
  const codes = new Uint8Array(entries.length);
  const group = { first: 0, step: 1, count: entries.length };
  return { ...quantiseGroup(Float32Array.from(entries), group, b, format, codes), codes: [...codes] };
}

describe('packed codes', () => {
  it('are read as they were written, lowest bits first', () => {
    fc.assert(
      fc.property(bits, fc.array(fc.nat(255), { maxLength: 40 }), (b, numbers) => {
        const codes = Uint8Array.from(numbers, (x) => x % 2 ** b);
        const bytes = new Uint8Array(Math.ceil((codes.length * b) / 8)).fill(255);
        packCodes(codes, b, bytes);
        expect(Array.from(codes, (_, i) => codeAt(bytes, b, i))).to.deep.equal([...codes]);
      }),
    );
    const bytes = new Uint8Array(2);
    packCodes(Uint8Array.of(1, 2, 3, 0, 2), 2, bytes);
    expect([...bytes]).to.deep.equal([0b00111001, 0b10]);
  });
});

describe('quantiseGroup', () => {
  it('spreads codes from the minimum to the maximum, ties to even', () => {
    expect(quantised([-1, 0.5, 2, 0], 2)).to.deep.equal({ scale: 1, minimum: -1, codes: [0, 2, 3, 1] });
    expect(quantised([0, 0.5, 1.5, 2.5, 3], 2).codes).to.deep.equal([0, 0, 2, 2, 3]);
  });

  it('reads a constant group as its entries', () => {
    expect(quantised([0.75, 0.75], 4)).to.deep.equal({ scale: 0, minimum: 0.75, codes: [0, 0] });
  });

  it('keeps what is not finite visible', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const format of ['float32', 'bfloat16'] as const) {
        const { scale, minimum, codes } = quantised([1, bad, 2], 4, format);
        expect(codes.map((code) => code * scale + minimum)).to.satisfy((read: number[]) =>
          read.every(Number.isNaN),
        );
      }
    }
  });

  it('is never further off than half a step, whatever the format of scale and minimum', () => {
    fc.assert(
      fc.property(bits, dtype, fc.nat(), fc.constantFrom(0, 3, -50), (b, format, seed, shift) => {
        const random = randomFrom(seed);
        const entries = randomNumbers(1 + Math.floor(random() * 40), random).map((x) => x + shift);
        const { scale, minimum, codes } = quantised([...entries], b, format);
        entries.forEach((x, i) => {
          expect(Math.abs(codes[i]! * scale + minimum - x)).to.be.at.most(
            scale / 2 + 4e-7 * (1 + Math.abs(x)),
          );
        });
        const range = Math.max(...entries) - Math.min(...entries);
        const wider = format === 'float32' ? 1e-6 : 2 ** -7;
        const largest = Math.max(...entries.map(Math.abs));
        expect(scale * (2 ** b - 1)).to.be.at.most((range + largest * wider) * (1 + wider));
      }),
    );
  });
});

describe('settledTokens', () => {
  it('leaves the residual: fewer than R of blocks, up to R that slide', () => {
    const at = (settle: 'blocks' | 'sliding', n: number, residual: number): number =>
      settledTokens({ bits: 2, along: 'token', group: 1, residual, settle }, n);
    expect([0, 31, 32, 63, 200].map((n) => at('blocks', n, 32))).to.deep.equal([0, 0, 32, 32, 192]);
    expect([0, 31, 32, 33, 200].map((n) => at('sliding', n, 32))).to.deep.equal([0, 0, 0, 1, 168]);
    expect(at('sliding', 5, 0)).to.equal(5);
  });
});

describe('QuantisedRows', () => {
  const shapes = fc.record({
    seed: fc.nat(),
    bits,
    dtype,
    along: fc.constantFrom('token' as const, 'channel' as const),
    group: fc.constantFrom(1, 2, 3, 5, 8, 16, 32, 1000),
    width: fc.constantFrom(0, 1, 2, 7, 13, 32, 39, 64, 80, 128, 256, 700),
    blocks: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  });

  it('are expanded by the kernel exactly as they are decoded, from any row on, and nothing beyond', () => {
    fc.assert(
      fc.property(shapes, ({ seed, along, group, width, blocks, ...s }) => {
        const random = randomFrom(seed);
        const size = along === 'channel' ? Math.min(group, 40) : 1;
        const precision = { bits: s.bits, along, group: along === 'channel' ? size : group };
        const buffers = new PackedBuffers(kernels.memory, s.dtype);
        const count = size * blocks.reduce((a, b) => a + b, 0);
        const rows = new QuantisedRows(kernels, buffers, precision, width, count + size);
        for (const block of blocks) {
          rows.append(randomNumbers(block * size * width, random), block * size);
        }
        const decoded = rows.decode();
        expect(decoded.length).to.equal(count * width);
        const from = Math.floor(random() * count);
        const some = 1 + Math.floor(random() * (count - from));
        const out = kernels.memory.alloc(4 * (some * width + 4));
        kernels.memory.floats(out, some * width + 4).fill(77);
        rows.expand(kernels, from, some, out);
        const got = kernels.memory.floats(out, some * width + 4).slice();
        kernels.memory.free(out);
        expect(Buffer.from(got.subarray(0, some * width).buffer, 0, 4 * some * width)).to.deep.equal(
          Buffer.from(decoded.slice(from * width, (from + some) * width).buffer),
        );
        expect([...got.subarray(some * width)]).to.deep.equal([77, 77, 77, 77]);
        buffers.free();
      }),
      { numRuns: 300 },
    );
  });

  it('take the bytes of codes and of two numbers per group', () => {
    const bytesOf = (precision: ConstructorParameters<typeof QuantisedRows>[2], width: number): unknown => {
      const buffers = new PackedBuffers(kernels.memory, 'bfloat16');
      new QuantisedRows(kernels, buffers, precision, width, 64);
      const { value, scale } = buffers.bytes();
      buffers.free();
      return { value, scale };
    };
    expect(bytesOf({ bits: 2, along: 'token', group: 32 }, 64)).to.deep.equal({
      value: (64 * 64 * 2) / 8,
      scale: 64 * 2 * 4,
    });
    expect(bytesOf({ bits: 4, along: 'channel', group: 32 }, 39)).to.deep.equal({
      value: 64 * 20,
      scale: 2 * 39 * 4,
    });
    expect(bytesOf({ bits: 8, along: 'token', group: Infinity }, 39)).to.deep.equal({
      value: 64 * 39,
      scale: 64 * 4,
    });
  });

  it('hold no more than their capacity, and whole groups of tokens', () => {
    const buffers = new PackedBuffers(kernels.memory, 'float32');
    const rows = new QuantisedRows(kernels, buffers, { bits: 8, along: 'channel', group: 2 }, 8, 4);
    expect(() => {
      rows.append(new Float32Array(24), 3);
    }).to.throw('3 rows do not fit');
    rows.append(new Float32Array(32), 4);
    expect(() => {
      rows.append(new Float32Array(16), 2);
    }).to.throw('2 rows do not fit after 4 of 4');
    buffers.free();
  });

  it('quantiseRows packs all rows by tokens, under the part that it is told', () => {
    const buffers = new PackedBuffers(kernels.memory, 'float32');
    const rows = Float32Array.from({ length: 3 * 10 }, (_, i) => Math.sin(i));
    const packed = quantiseRows(kernels, buffers, { bits: 8, group: Infinity }, rows, 10, 'latent');
    expect(packed.decode().every((x, i) => Math.abs(x - rows[i]!) < 2 / 255 / 2 + 1e-6)).to.equal(true);
    expect(buffers.bytes()).to.include({ latent: 30, scale: 3 * 2 * 4, value: 0 });
    buffers.free();
  });
});
