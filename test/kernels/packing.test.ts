/** Packing a block of rows, against one entry after the other. */
import { expect } from 'chai';
import fc from 'fast-check';
import { bitsOf, roundToBfloat16, type EntryFormat } from '../../src/kernels/entries.js';
import { packKept, packSigns, type PickedRows, type SignedRecovery } from '../../src/kernels/packing.js';

/** Zeros of both signs, the smallest and the largest numbers, and such as no cache should hold. */
const ODD = [0, -0, 1e-45, -1e-45, 3.4e38, -3.4e38, Infinity, -Infinity, NaN];

interface Case {
  readonly rows: PickedRows;
  readonly mask: Uint8Array;
  readonly recovery: SignedRecovery;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    width: fc.constantFrom(8, 16, 64, 128, 256),
    tokens: fc.uniqueArray(fc.nat(400), { maxLength: 300 }),
    density: fc.constantFrom(0, 0.2, 0.5, 1),
    seed: fc.nat(),
  })
  .map(({ width, tokens, density, seed }) => {
    let state = seed | 1;
    const next = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 31 - 1;
    };
    const drawn = (count: number): Float32Array => Float32Array.from({ length: count }, next);
    const numbers = drawn(401 * width).map((x, i) => (i % 37 === 0 ? ODD[(i / 37) % ODD.length]! : x));
    return {
      rows: { bits: bitsOf(numbers), tokens: Int32Array.from(tokens).sort(), width },
      mask: Uint8Array.from({ length: tokens.length * width }, () => Number((next() + 1) / 2 < density)),
      recovery: { scales: drawn(tokens.length), channel: drawn(width) },
    };
  });

const numbersOf = ({ bits }: PickedRows): Float32Array => new Float32Array(bits.buffer);

function plainly({ rows, mask, recovery }: Case, recovers: boolean, format: EntryFormat): number[] {
  const { tokens, width } = rows;
  const numbers = numbersOf(rows);
  const out: number[] = [];
  tokens.forEach((token, t) => {
    for (let j = 0; j < width; j++) {
      if (mask[t * width + j] === 0) continue;
      const x = numbers[token * width + j]!;
      const size = Math.fround(recovery.scales[t]! * recovery.channel[j]!);
      const stored = Float32Array.of(recovers ? x - (x > 0 ? size : -size) : x);
      const [bits] = bitsOf(stored) as unknown as [number];
      out.push(format === 'float32' ? bits : roundToBfloat16(bits));
    }
  });
  return out;
}

const isNaN32 = (bits: number): boolean => (bits & 0x7fff_ffff) > 0x7f80_0000;

describe('packKept', () => {
  for (const format of ['bfloat16', 'float32'] as const) {
    for (const recovers of [true, false]) {
      it(`stores ${format} ${recovers ? 'differences from the recovery' : 'entries'}`, () => {
        fc.assert(
          fc.property(cases, (one) => {
            const expected = plainly(one, recovers, format);
            const out =
              format === 'float32' ? new Uint32Array(expected.length) : new Uint16Array(expected.length);
            packKept(one.rows, one.mask, recovers ? one.recovery : undefined, format, out);
            // a NaN may become another NaN
            const same = (bits: number): number =>
              isNaN32(format === 'float32' ? bits : bits * 0x1_0000) ? -1 : bits;
            expect([...out].map(same)).to.deep.equal(expected.map(same));
          }),
          { numRuns: 40 },
        );
      });
    }
  }
});

describe('packSigns', () => {
  it('has a bit for each entry that is above 0', () => {
    fc.assert(
      fc.property(cases, ({ rows }) => {
        const { tokens, width } = rows;
        const out = new Uint8Array((tokens.length * width) / 8);
        packSigns(rows, out);
        const bits = Array.from({ length: tokens.length * width }, (_, i) => (out[i >> 3]! >> (i & 7)) & 1);
        const expected = [...tokens].flatMap((token) =>
          [...numbersOf(rows).subarray(token * width, (token + 1) * width)].map((x) => Number(x > 0)),
        );
        expect(bits).to.deep.equal(expected);
      }),
      { numRuns: 40 },
    );
  });
});
