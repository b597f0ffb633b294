/** Every exported op on every engine present against the plain JavaScript engine, on random shapes. */
import { expect } from 'chai';
import fc from 'fast-check';
import { openEngine } from '../../src/engine/index.js';
import type { Engine, EngineName, Ops, Tensor } from '../../src/engine/types.js';
import { engineOrSkip } from '../support/engines.js';

const size = fc.integer({ min: 1, max: 17 });

/** Seeded numbers in [-2, 2). */
function numbers(count: number, seed: number): Float32Array {
  let state = seed | 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 30 - 2;
  });
}

const total = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Largest difference, relative where the expected number is above 1. */
function worst(found: Float32Array, expected: Float32Array): number {
  return expected.reduce((most, value, i) => {
    const difference = Math.abs(found[i]! - value) / Math.max(1, Math.abs(value));
    return difference <= most ? most : difference;
  }, 0);
}

interface Inputs {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly seed: number;
}

/** What each op is given, made of three sizes; the result is compared. */
const CASES: Readonly<
  Record<string, (ops: Ops, x: (shape: number[], n?: number) => Tensor, i: Inputs) => Tensor>
> = {
  fromHost: (_, x, { a, b }) => x([a, b]),
  matMul: (ops, x, { a, b, c }) => ops.matMul(x([a, b]), x([b, c], 1)),
  add: (ops, x, { a, b, c }) => ops.add(x([a, b, c]), x([b, c], 1)),
  sub: (ops, x, { a, b, c }) => ops.sub(x([a, b, c]), x([b, c], 1)),
  mul: (ops, x, { a, b, c }) => ops.mul(x([a, b, c]), x([c], 1)),
  div: (ops, x, { a, b, c }) => ops.div(x([a, b, c]), ops.exp(x([b, 1], 1))),
  scale: (ops, x, { a, b }) => ops.scale(x([a, b]), 0.37),
  exp: (ops, x, { a, b }) => ops.exp(x([a, b])),
  rmsNorm: (ops, x, { a, b, c }) => ops.rmsNorm(x([a, b, c]), x([c], 1), 1e-5),
  layerNorm: (ops, x, { a, b, c }) => ops.layerNorm(x([a, b, c]), x([c], 1), 1e-3),
  silu: (ops, x, { a, b }) => ops.silu(x([a, b])),
  gelu: (ops, x, { a, b }) => ops.gelu(x([a, b])),
  geluTanh: (ops, x, { a, b }) => ops.geluTanh(x([a, b])),
  softCap: (ops, x, { a, b }) => ops.softCap(ops.scale(x([a, b]), 20), 7),
  softmax: (ops, x, { a, b }) => ops.softmax(ops.scale(x([a, b]), 20)),
  sum: (ops, x, { a, b, c }) => ops.sum(x([a, b, c]), 1),
  square: (ops, x, { a, b }) => ops.square(x([a, b])),
  reshape: (ops, x, { a, b, c }) => ops.reshape(x([a, b * c]), [a * b, c]),
  transpose: (ops, x, { a, b, c }) => ops.transpose(x([a, b, c]), [1, 0, 2]),
  slice: (ops, x, { a, b, c }) =>
    ops.slice(x([a, b, c]), [a >> 1, b >> 1, c >> 1], [a - (a >> 1), b - (b >> 1), c - (c >> 1)]),
  concat: (ops, x, { a, b, c }) => ops.concat([x([a, b]), x([a, c], 1)], 1),
  gatherRows: (ops, x, { a, b, c, seed }) =>
    ops.gatherRows(
      x([a, b]),
      Int32Array.from({ length: c }, (_, i) => (seed + 7 * i) % a),
    ),
};

/** Ops without a tensor as result, or that only manage tensors; tested below or by every other test. */
/** Gradients have a test file of their own. */
const NOT_COMPARED = ['toHost', 'argMax', 'gradients', 'tidy', 'keep', 'dispose', 'numTensors'];

for (const name of ['wasm', 'native'] as const satisfies readonly EngineName[]) {
  describe(`ops on ${name}`, () => {
    let engine: Engine;
    let reference: Engine;
    before(async function () {
      engine = await engineOrSkip(this, name);
      reference = await openEngine('cpu');
    });

    it('every exported op has a case', () => {
      expect(Object.keys(engine.ops).sort()).to.deep.equal([...Object.keys(CASES), ...NOT_COMPARED].sort());
    });

    for (const [op, run] of Object.entries(CASES)) {
      it(`${op} computes what cpu computes`, () => {
        const on = ({ ops }: Engine, inputs: Inputs): { shape: number[]; data: Float32Array } =>
          ops.tidy(() => {
            const result = run(
              ops,
              (shape, n = 0) => ops.fromHost(numbers(total(shape), inputs.seed + n), shape),
              inputs,
            );
            return { shape: result.shape, data: ops.toHost(result) };
          });
        fc.assert(
          fc.property(size, size, size, fc.nat(1e6), (a, b, c, seed) => {
            const inputs = { a, b, c, seed };
            const expected = on(reference, inputs);
            const found = on(engine, inputs);
            expect(found.shape).to.deep.equal(expected.shape);
            expect(worst(found.data, expected.data)).to.be.below(1e-5);
          }),
          { numRuns: 60, seed: 1 },
        );
      });
    }

    it('argMax gives the lower index of equal entries, also in wide rows', () => {
      const { ops } = engine;
      const width = 49152;
      const wide = Float32Array.from({ length: 2 * width }, (_, i) => Number(i % 1000 >= 990));
      const first = [...ops.tidy(() => ops.argMax(ops.fromHost(wide, [2, width])))];
      expect(first).to.deep.equal([990, wide.indexOf(1, width) - width]);
      const best = ops.tidy(() => ops.argMax(ops.fromHost(Float32Array.of(1, 3, 3, 0, 0, -1), [2, 3])));
      expect([...best]).to.deep.equal([1, 0]);
    });

    it('softmax gives masked entries exactly nothing', () => {
      const { ops } = engine;
      const x = Float32Array.of(1, -Infinity, 1, -Infinity, -Infinity, 5);
      const found = ops.tidy(() => ops.toHost(ops.softmax(ops.fromHost(x, [2, 3]))));
      expect([...found]).to.deep.equal([0.5, 0, 0.5, 0, 0, 1]);
    });

    it('copies what it is given and what it gives', () => {
      const { ops } = engine;
      ops.tidy(() => {
        const data = Float32Array.of(1, 2);
        const x = ops.fromHost(data, [2]);
        data[0] = 9;
        ops.toHost(x)[1] = 9;
        expect([...ops.toHost(ops.scale(x, 1))]).to.deep.equal([1, 2]);
      });
    });

    it('gatherRows refuses rows that are not there', () => {
      const { ops } = engine;
      const gather = (row: number): Float32Array =>
        ops.tidy(() => ops.toHost(ops.gatherRows(ops.fromHost(numbers(6, 1), [2, 3]), Int32Array.of(row))));
      expect(() => gather(2)).to.throw();
      expect(() => gather(-1)).to.throw();
    });

    it('matMul refuses what is slow or wrong elsewhere', () => {
      const { ops } = engine;
      expect(() =>
        ops.tidy(() =>
          ops.matMul(ops.fromHost(numbers(8, 1), [2, 2, 2]), ops.fromHost(numbers(4, 1), [2, 2])),
        ),
      ).to.throw(RangeError, /two matrices/);
    });

    it('keeps no tensor that tidy did not return', () => {
      const { ops } = engine;
      const before = ops.numTensors();
      const kept = ops.tidy(() => {
        const x = ops.fromHost(numbers(6, 1), [2, 3]);
        ops.softmax(x);
        ops.rmsNorm(x, ops.fromHost(numbers(3, 2), [3]), 1e-5);
        return ops.silu(x);
      });
      expect(ops.numTensors()).to.equal(before + 1);
      ops.dispose(kept);
      expect(ops.numTensors()).to.equal(before);
    });
  });
}
