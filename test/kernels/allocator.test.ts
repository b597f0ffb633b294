/** Allocation of address ranges: no overlap, alignment, everything given back. */
import { expect } from 'chai';
import fc from 'fast-check';
import { Allocator } from '../../src/kernels/allocator.js';

const START = 64;
const END = 4096;

function opened(): Allocator {
  const allocator = new Allocator(START);
  allocator.extend(END);
  return allocator;
}

describe('Allocator', () => {
  it('never overlaps, stays inside, aligns to 16, and is whole again when all is freed', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('alloc' as const), bytes: fc.nat(700) }),
      fc.record({ kind: fc.constant('free' as const), pick: fc.nat(1000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const allocator = opened();
        const live: { start: number; bytes: number }[] = [];
        for (const action of steps) {
          if (action.kind === 'free') {
            const freed = live.splice(action.pick % Math.max(1, live.length), 1)[0];
            if (freed !== undefined) allocator.free(freed.start);
            continue;
          }
          const couldFit = allocator.shortfall(action.bytes) === 0;
          const start = allocator.alloc(action.bytes);
          expect(start !== undefined).to.equal(couldFit);
          if (start === undefined) continue;
          expect(start % 16).to.equal(0);
          expect(start).to.be.at.least(START);
          const end = start + Math.max(1, action.bytes);
          expect(end).to.be.at.most(END);
          for (const other of live) {
            const apart = end <= other.start || other.start + Math.max(1, other.bytes) <= start;
            expect(apart, `${start} overlaps ${other.start}`).to.equal(true);
          }
          live.push({ start, bytes: action.bytes });
        }
        for (const { start } of live) allocator.free(start);
        expect(allocator.bytesInUse).to.equal(0);
        expect(allocator.alloc(END - START)).to.equal(START);
      }),
    );
  });

  it('says how far the end must move, and extends the last gap', () => {
    const allocator = opened();
    allocator.alloc(END - START - 32);
    expect(allocator.shortfall(32)).to.equal(0);
    expect(allocator.shortfall(48)).to.equal(16);
    allocator.extend(END + 16);
    expect(allocator.alloc(48)).to.equal(END - 32);
  });

  it('refuses to free what is not allocated', () => {
    const allocator = opened();
    const start = allocator.alloc(16)!;
    expect(() => {
      allocator.free(start + 16);
    }).to.throw('not allocated');
    allocator.free(start);
    expect(() => {
      allocator.free(start);
    }).to.throw('not allocated');
  });
});
