import { expect } from 'chai';
import fc from 'fast-check';
import { workOf } from '../../src/cache/attention-work.js';
import { Crew } from '../../src/kernels/crew.js';
import { openKernels, type Kernels } from '../../src/kernels/index.js';
import { randomFrom, randomNumbers } from '../cache/support.js';

/** Softmax of some rows, an item each: row r of `rows` of `width` numbers. */
function softmaxItems(crew: Crew, kernels: Kernels, at: number, rows: number, width: number): void {
  const work = workOf(crew, kernels.memory);
  for (let r = 0; r < rows; r++) {
    work.item(1);
    work.kernels.softmax(at + 4 * r * width, 1, width, { visible: width, group: 1 }, 0.5);
  }
  crew.run(kernels.memory);
}

describe('Crew', () => {
  const crews: Crew[] = [];
  before(async () => {
    for (const threads of [1, 2, 4]) crews.push(await Crew.open(threads, 2));
  });
  after(() => {
    for (const crew of crews) crew.close();
  });

  it('gives what one thread gives, whatever the number of threads and items', () => {
    const kernels = openKernels({ maxBytes: 2 ** 26 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        (rows, fours, seed) => {
          const width = 4 * fours;
          const numbers = randomNumbers(rows * width, randomFrom(seed));
          const at = kernels.memory.alloc(4 * numbers.length);
          const results = crews.map((crew) => {
            kernels.memory.floats(at, numbers.length).set(numbers);
            softmaxItems(crew, kernels, at, rows, width);
            return kernels.memory.floats(at, numbers.length).slice();
          });
          kernels.memory.floats(at, numbers.length).set(numbers);
          for (let r = 0; r < rows; r++) {
            kernels.softmax(at + 4 * r * width, 1, width, { visible: width, group: 1 }, 0.5);
          }
          const alone = kernels.memory.floats(at, numbers.length).slice();
          kernels.memory.free(at);
          for (const result of results) expect(result).to.deep.equal(alone);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('has scratch of its own for each thread, which may grow between items', () => {
    const kernels = openKernels({ maxBytes: 2 ** 26 });
    const { memory } = kernels;
    const rows = 400;
    const source = memory.alloc(4 * 64 * rows);
    const target = memory.alloc(4 * 64 * rows);
    for (const crew of crews) {
      memory.floats(source, 64 * rows).forEach((_, i, all) => (all[i] = i));
      memory.floats(target, 64 * rows).fill(0);
      const work = workOf(crew, memory);
      for (let r = 0; r < rows; r++) {
        const scratch = work.scratch(r < rows / 2 ? 256 : 1024);
        work.item(2);
        work.kernels.copy(source + 256 * r, 256, scratch, 256, 256, 1);
        work.kernels.copy(scratch, 256, target + 256 * r, 256, 256, 1);
      }
      crew.run(memory);
      expect(memory.floats(target, 64 * rows).slice()).to.deep.equal(
        memory.floats(source, 64 * rows).slice(),
      );
    }
  });

  it('works on several memories, and sees them grow', () => {
    for (const crew of crews) {
      const sites = [openKernels({ maxBytes: 2 ** 25 }), openKernels({ maxBytes: 2 ** 25 })];
      for (const kernels of sites) {
        const at = kernels.memory.alloc(4 * 4 * 1000);
        softmaxItems(crew, kernels, at, 1000, 4);
        const more = kernels.memory.alloc(2 ** 23);
        kernels.memory.floats(more, 4000).fill(1);
        softmaxItems(crew, kernels, more, 1000, 4);
        expect(kernels.memory.floats(more, 4000).every((x) => x === 0.25)).to.equal(true);
      }
    }
  });

  it('goes from one memory to the other, with more threads than processors', async () => {
    const crew = await Crew.open(5, 2);
    const sites = [openKernels({ maxBytes: 2 ** 25 }), openKernels({ maxBytes: 2 ** 25 })].map((kernels) => ({
      kernels,
      at: kernels.memory.alloc(4 * 4 * 40),
    }));
    try {
      for (let round = 0; round < 3000; round++) {
        const { kernels, at } = sites[round % 2]!;
        kernels.memory.floats(at, 160).fill(round);
        if (round % 100 === 0) crew.scratch(kernels.memory, round);
        softmaxItems(crew, kernels, at, 1 + (round % 40), 4);
        const done = 4 * (1 + (round % 40));
        expect(kernels.memory.floats(at, done).every((x) => x === 0.25)).to.equal(true);
        expect(kernels.memory.floats(at + 4 * done, 160 - done).every((x) => x === round)).to.equal(true);
      }
    } finally {
      crew.close();
    }
  });

  it('tells of a thread that fails, and does not wait for it', async () => {
    const crew = await Crew.open(2, 2);
    const kernels = openKernels({ maxBytes: 2 ** 24 });
    const work = workOf(crew, kernels.memory);
    // every item reads beyond the memory
    for (let i = 0; i < 100; i++) {
      work.item(1);
      work.kernels.softmax(0xfff0_0000, 1, 4, { visible: 4, group: 1 }, 1);
    }
    expect(() => {
      crew.run(kernels.memory);
    }).to.throw(/memory access out of bounds|a thread of the kernels failed/);
    crew.close();
  });
});
