/** Products on a memory of somebody else's, against the sum written out. */
import { expect } from 'chai';
import fc from 'fast-check';
import { openMatMul, type MatMul } from '../../src/kernels/matmul.js';
import { Memory } from '../../src/kernels/webassembly.js';

const memory = new Memory({ initial: 64, maximum: 64 });
const FIRST = 4096;
/** What lies around a result, and must stay. */
const UNTOUCHED = -7;

/** @param room bytes that there are for panels */
function open(room: number): { multiply: MatMul | undefined; readonly asked: number[] } {
  const asked: number[] = [];
  const multiply = openMatMul({
    memory,
    alloc: (bytes) => {
      asked.push(bytes);
      return bytes <= room ? memory.buffer.byteLength - room : 0;
    },
    free: () => undefined,
  });
  return { multiply, asked };
}

interface Case {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly seed: number;
}

const cases = (rows: fc.Arbitrary<number>): fc.Arbitrary<Case> =>
  fc.record({
    m: rows,
    k: fc.integer({ min: 1, max: 41 }),
    n: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 500, max: 530 })),
    seed: fc.nat(),
  });

/** Numbers of few bits where `exact`: then no sum of them rounds. */
function drawn(count: number, seed: number, exact: boolean): Float32Array {
  let state = seed | 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return exact ? (state >>> 24) - 128 : state / 2 ** 31 - 1;
  });
}

function run(multiply: MatMul, a: Float32Array, b: Float32Array, { m, k, n }: Case): Float32Array {
  const at = FIRST + 4 * a.length;
  const out = at + 4 * b.length + 16;
  const around = new Float32Array(memory.buffer, out - 16, m * n + 8).fill(UNTOUCHED);
  new Float32Array(memory.buffer, FIRST, a.length).set(a);
  new Float32Array(memory.buffer, at, b.length).set(b);
  multiply(FIRST, at, { m, k, n }, out);
  expect([...around.subarray(0, 4), ...around.subarray(4 + m * n)]).to.deep.equal(Array(8).fill(UNTOUCHED));
  return around.slice(4, 4 + m * n);
}

/** The sums in double precision. */
function plainly(a: Float32Array, b: Float32Array, { m, k, n }: Case): Float64Array {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) for (let t = 0; t < k; t++) out[i * n + j]! += a[i * k + t]! * b[t * n + j]!;
  return out;
}

describe('products of matrices', () => {
  const { multiply, asked } = open(2 ** 21);
  const withoutRoom = open(0);
  before(function () {
    if (multiply === undefined) this.skip(); // this machine does not fuse: the backend's own are used
  });

  it('are the sums of the products, where nothing rounds', () => {
    fc.assert(
      fc.property(cases(fc.integer({ min: 1, max: 70 })), (shape) => {
        const [a, b] = [
          drawn(shape.m * shape.k, shape.seed, true),
          drawn(shape.k * shape.n, ~shape.seed, true),
        ];
        expect([...run(multiply!, a, b, shape)]).to.deep.equal([...plainly(a, b, shape)]);
      }),
      { numRuns: 60 },
    );
  });

  it('are near them elsewhere', () => {
    fc.assert(
      fc.property(cases(fc.integer({ min: 1, max: 70 })), (shape) => {
        const [a, b] = [
          drawn(shape.m * shape.k, shape.seed, false),
          drawn(shape.k * shape.n, ~shape.seed, false),
        ];
        const expected = plainly(a, b, shape);
        const off = run(multiply!, a, b, shape).map((x, i) => Math.abs(x - expected[i]!));
        expect(off.every((difference) => difference < shape.k * 2 ** -22)).to.equal(true);
      }),
      { numRuns: 60 },
    );
  });

  it('have the same bits for a row alone, among others, and without room for panels', () => {
    fc.assert(
      fc.property(cases(fc.integer({ min: 32, max: 70 })), fc.nat(), (shape, drawnRow) => {
        const { m, k, n, seed } = shape;
        const [a, b] = [drawn(m * k, seed, false), drawn(k * n, ~seed, false)];
        const whole = run(multiply!, a, b, shape);
        expect(run(withoutRoom.multiply!, a, b, shape)).to.deep.equal(whole);
        const row = drawnRow % m;
        const alone = run(multiply!, a.slice(row * k, (row + 1) * k), b, { ...shape, m: 1 });
        expect(alone).to.deep.equal(whole.slice(row * n, (row + 1) * n));
      }),
      { numRuns: 60 },
    );
  });

  it('ask for panels of a bounded number of columns, and for none where rows are few', () => {
    asked.length = 0;
    const [a, b] = [new Float32Array(40 * 8), new Float32Array(8 * 2000)];
    run(multiply!, a, b, { m: 40, k: 8, n: 2000, seed: 0 });
    run(multiply!, a.slice(0, 8 * 31), b, { m: 31, k: 8, n: 2000, seed: 0 });
    expect(asked).to.deep.equal([4 * 8 * 512]);
  });
});
