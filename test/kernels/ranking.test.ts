import { expect } from 'chai';
import fc from 'fast-check';
import { rankRows } from '../../src/kernels/ranking.js';
import { markLargest } from '../../src/methods/select.js';

/** The slow, obvious way. */
function rankOneByOne(rows: readonly Float32Array[], kept: readonly number[]): ReturnType<typeof rankRows> {
  const width = rows[0]!.length;
  const mask = new Uint8Array(rows.length * width);
  const threshold = new Float32Array(rows.length);
  const below = new Float64Array(rows.length);
  rows.forEach((row, t) => {
    threshold[t] = markLargest(row, kept[t]!, mask, t * width, new Float32Array(width));
    const lesser = [...row].filter((x) => x < threshold[t]!);
    below[t] = lesser.length === 0 ? 0 : lesser.reduce((sum, x) => sum + x, 0) / lesser.length;
  });
  return { mask, threshold, below };
}

/** Numbers of all sizes, many of them equal. */
const entry = fc
  .oneof(
    fc.constantFrom(0, 1, 1.5, 1e-45, 1e-38, 3e38),
    fc.float({ min: 0, max: 10, noNaN: true }),
    fc.float({ min: 0, noNaN: true }),
  )
  .map((x) => Math.abs(x));

const cases = fc
  .record({ width: fc.integer({ min: 1, max: 256 }), count: fc.integer({ min: 1, max: 4 }) })
  .chain(({ width, count }) =>
    fc.record({
      rows: fc.array(
        fc.array(entry, { minLength: width, maxLength: width }).map((row) => Float32Array.from(row)),
        { minLength: count, maxLength: count },
      ),
      kept: fc.array(fc.integer({ min: 1, max: width }), { minLength: count, maxLength: count }),
    }),
  );

describe('rankRows', () => {
  it('marks what ranking row by row marks, bit for bit', () => {
    fc.assert(
      fc.property(cases, ({ rows, kept }) => {
        const ranked = rankRows(rows.length, rows[0]!.length, (t, row) => {
          row.set(rows[t]!);
          return kept[t]!;
        });
        expect(ranked).to.deep.equal(rankOneByOne(rows, kept));
      }),
      { numRuns: 300 },
    );
  });

  it('does so over several blocks, whatever was ranked before', () => {
    for (const width of [64, 24]) {
      const rows = Array.from({ length: 700 }, (_, t) =>
        Float32Array.from({ length: width }, (_, j) => ((t * 31 + j * 17) % 97) / 7),
      );
      const kept = rows.map((_, t) => 1 + (t % width));
      const ranked = rankRows(rows.length, width, (t, row) => {
        row.set(rows[t]!);
        return kept[t]!;
      });
      expect(ranked).to.deep.equal(rankOneByOne(rows, kept));
    }
  });
});
