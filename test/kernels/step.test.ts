/** What stands between products, against plain float64. */
import { expect } from 'chai';
import fc from 'fast-check';
import { openKernels } from '../../src/kernels/index.js';
import { StepKernels, type ACTIVATIONS } from '../../src/kernels/step.js';
import { ropeTable, rotateHeads } from '../../src/model/rope.js';
import { randomFrom, randomNumbers } from '../cache/support.js';

const { memory } = openKernels();
const step = new StepKernels((kernel, ...args) => {
  memory.code[kernel](...args);
});

/** Numbers in the kernels' memory while `use` runs, with three zeros behind them; what they are then. */
function inMemory(numbers: Float32Array, use: (at: number) => void): Float32Array {
  const at = memory.alloc(4 * numbers.length + 16);
  memory.floats(at, numbers.length + 3).fill(0);
  memory.floats(at, numbers.length).set(numbers);
  use(at);
  const got = memory.floats(at, numbers.length).slice();
  memory.free(at);
  return got;
}

function expectClose(got: Float32Array, expected: readonly number[], tolerance: number): void {
  got.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).to.be.at.most(tolerance * (1 + Math.abs(expected[i]!)));
  });
}

const sized = fc.record({
  width: fc.integer({ min: 1, max: 300 }),
  rows: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
});

describe('StepKernels', () => {
  for (const centred of [false, true]) {
    it(`norm: ${centred ? 'layer' : 'RMS'}`, () => {
      fc.assert(
        fc.property(sized, fc.boolean(), ({ width, rows, seed }, biased) => {
          const random = randomFrom(seed);
          const x = randomNumbers(rows * width, random);
          const [weights, biases] = [randomNumbers(width, random), randomNumbers(width, random)];
          const expected = Array.from({ length: rows }, (_, r) => {
            const row = [...x.subarray(r * width, (r + 1) * width)];
            const mean = centred ? row.reduce((a, b) => a + b, 0) / width : 0;
            const size = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / width + 1e-3);
            return row.map((y, i) => ((y - mean) / size) * weights[i]! + (biased ? biases[i]! : 0));
          }).flat();
          let got: Float32Array = new Float32Array(0);
          inMemory(weights, (weight) => {
            inMemory(biases, (bias) => {
              got = inMemory(x, (at) => {
                const place = { at, stride: 4 * width };
                step.norm(centred, place, rows, width, { weight, bias: biased ? bias : 0, eps: 1e-3 }, place);
              });
            });
          });
          expectClose(got, expected, 2e-5);
        }),
        { numRuns: 60 },
      );
    });
  }

  const PLAIN: Readonly<Record<keyof typeof ACTIVATIONS, (x: number) => number>> = {
    silu: (x) => x / (1 + Math.exp(-x)),
    gelu: (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2)),
    gelu_tanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  };
  for (const [kind, plain] of Object.entries(PLAIN) as [keyof typeof ACTIVATIONS, (x: number) => number][]) {
    it(`activate: ${kind}, gated or not, small numbers and large`, () => {
      fc.assert(
        fc.property(sized, fc.constantFrom(0.01, 1, 30), ({ width, seed }, size) => {
          const random = randomFrom(seed);
          const gate = randomNumbers(width, random).map((x) => x * size);
          const up = randomNumbers(width, random);
          const alone = inMemory(gate, (at) => {
            step.activate(kind, at, 0, width, at);
          });
          expectClose(alone, [...gate].map(plain), 1e-6 * (1 + size));
          inMemory(up, (upAt) => {
            const got = inMemory(gate, (at) => {
              step.activate(kind, at, upAt, width, at);
            });
            expectClose(
              got,
              [...gate].map((x, i) => plain(x) * up[i]!),
              2e-6 * (1 + size),
            );
          });
        }),
        { numRuns: 60 },
      );
    });
  }

  it('rotate: as heads are rotated on the host, bit for bit', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<'half' | 'interleaved'>('half', 'interleaved'),
        fc.constantFrom([8, 4], [64, 32], [64, 16], [96, 48]),
        fc.nat({ max: 100_000 }),
        (pairing, [width, half], position) => {
          const frequencies = Float32Array.from({ length: half }, (_, j) => 10000 ** (-j / half));
          const table = ropeTable({ frequencies, factor: 1, pairing }, position, 1);
          const x = randomNumbers(3 * width, randomFrom(position));
          const expected = x.slice();
          rotateHeads(expected, 0, 3, width, table, 0);
          inMemory(table.cos, (cos) => {
            inMemory(table.sin, (sin) => {
              const angles = { half: half, interleaved: pairing === 'interleaved', cos, sin };
              const got = inMemory(x, (at) => {
                step.rotate(at, 3, width, angles);
              });
              expectClose(got, [...expected], 2e-7);
            });
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('add, addScaled', () => {
    fc.assert(
      fc.property(sized, ({ width, seed }) => {
        const random = randomFrom(seed);
        const [x, y] = [randomNumbers(width, random), randomNumbers(width, random)];
        inMemory(y, (other) => {
          const sum = inMemory(x, (at) => {
            step.add({ at, stride: 4 * width }, { at: other, stride: 4 * width }, 1, width);
          });
          expect(sum).to.deep.equal(x.map((a, i) => a + y[i]!));
          const scaled = inMemory(x, (at) => {
            step.addScaled(at, other, width, 0.25);
          });
          expect(scaled).to.deep.equal(x.map((a, i) => a + Math.fround(0.25 * y[i]!)));
        });
      }),
      { numRuns: 40 },
    );
  });

  it('best: the first of the largest, −1 where a number is not finite', () => {
    const best = (numbers: Float32Array): number => {
      let found = 0;
      inMemory(new Float32Array(1), (out) => {
        inMemory(numbers, (at) => {
          step.best(at, numbers.length, out);
        });
        [found] = memory.integers(out, 1) as unknown as [number];
      });
      return found;
    };
    expect(best(Float32Array.of(-3, 2, 5, 5, 1))).to.equal(2);
    expect(best(Float32Array.of(-3, -2))).to.equal(1);
    for (const bad of [NaN, Infinity, -Infinity]) expect(best(Float32Array.of(1, bad, 2))).to.equal(-1);
  });
});

/** By its series, for |x| < 6. */
function erf(x: number): number {
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return Math.abs(x) > 3.5 ? Math.sign(x) : (2 / Math.sqrt(Math.PI)) * sum;
}
