/** The box copied out of a row-major array, against indexing entry by entry. */
import { expect } from 'chai';
import fc from 'fast-check';
import { copyPart } from '../../src/engine/wasm-slice.js';

const axis = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(8), fc.nat(9)).map(([length, from, size]) => {
  const start = from % length;
  return { length, start, size: Math.min(size, length - start) };
});

describe('a part of a tensor on wasm', () => {
  it('is what indexing gives, for every rank, box and length of a run', () => {
    fc.assert(
      fc.property(
        fc.array(axis, { minLength: 0, maxLength: 4 }),
        fc.constantFrom(1, 70),
        (axes, lastTimes) => {
          const scaled = axes.map((a, i) =>
            i < axes.length - 1
              ? a
              : { length: a.length * lastTimes, start: a.start * lastTimes, size: a.size * lastTimes },
          );
          const shape = scaled.map(({ length }) => length);
          const from = scaled.map(({ start }) => start);
          const size = scaled.map((a) => a.size);
          const x = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
          const out = new Float32Array(size.reduce((a, b) => a * b, 1));
          copyPart(x, shape, out, from, size);
          expect([...out]).to.deep.equal(entriesOf(x, shape, from, size));
        },
      ),
    );
  });
});

function entriesOf(x: Float32Array, shape: number[], from: number[], size: number[]): number[] {
  const walk = (axis: number, offset: number): number[] =>
    axis === shape.length
      ? [x[offset]!]
      : Array.from({ length: size[axis]! }, (_, i) =>
          walk(axis + 1, offset * shape[axis]! + from[axis]! + i),
        ).flat();
  return walk(0, 0);
}
