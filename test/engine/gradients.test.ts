/** Gradients against differences, on every engine present. */
import { expect } from 'chai';
import type { Engine, Ops, Tensor } from '../../src/engine/types.js';
import { engineOrSkip, TESTED_ENGINES } from '../support/engines.js';

interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly f: (ops: Ops, ...xs: Tensor[]) => Tensor;
}

const cases: readonly Case[] = [
  {
    name: 'matMul',
    shapes: [
      [3, 4],
      [4, 2],
    ],
    f: (ops, a, b) => ops.matMul(a, b),
  },
  { name: 'add, broadcast', shapes: [[2, 3, 4], [4]], f: (ops, a, b) => ops.square(ops.add(a, b)) },
  {
    name: 'sub, broadcast',
    shapes: [
      [3, 4],
      [2, 3, 4],
    ],
    f: (ops, a, b) => ops.square(ops.sub(a, b)),
  },
  {
    name: 'mul, broadcast',
    shapes: [
      [2, 3],
      [1, 3],
    ],
    f: (ops, a, b) => ops.mul(ops.scale(a, 3), b),
  },
  { name: 'the same twice', shapes: [[5]], f: (ops, x) => ops.mul(x, x) },
  { name: 'rmsNorm', shapes: [[3, 6], [6]], f: (ops, x, weight) => ops.rmsNorm(x, weight, 1e-5) },
  { name: 'silu', shapes: [[2, 5]], f: (ops, x) => ops.silu(x) },
  { name: 'softmax', shapes: [[3, 5]], f: (ops, x) => ops.square(ops.softmax(x)) },
  { name: 'sum', shapes: [[3, 4, 2]], f: (ops, x) => ops.square(ops.sum(x, 1)) },
  {
    name: 'reshape, transpose',
    shapes: [[2, 6]],
    f: (ops, x) => ops.square(ops.transpose(ops.reshape(x, [2, 3, 2]), [2, 0, 1])),
  },
  {
    name: 'slice, concat',
    shapes: [
      [3, 4],
      [3, 2],
    ],
    f: (ops, a, b) => ops.square(ops.concat([ops.slice(a, [1, 1], [2, 3]), ops.slice(b, [0, 0], [2, 2])], 1)),
  },
];

for (const engineName of TESTED_ENGINES) {
  describe(`gradients on ${engineName}`, () => {
    let engine: Engine;
    before(async function () {
      engine = await engineOrSkip(this, engineName);
    });

    for (const { name, shapes, f } of cases) {
      it(name, () => {
        const { ops } = engine;
        let state = 0;
        const numbers = (count: number) =>
          Float32Array.from({ length: count }, () => Math.sin(++state * 12.9898) + 0.1);
        const inputs = shapes.map((shape) => numbers(shape.reduce((a, b) => a * b, 1)));
        const tensors = () => inputs.map((x, i) => ops.fromHost(x, shapes[i]!));
        const before = ops.numTensors();
        const weights = ops.tidy(() => numbers(f(ops, ...tensors()).size));
        const value = (): number =>
          ops.tidy(() => ops.toHost(f(ops, ...tensors())).reduce((sum, y, i) => sum + y * weights[i]!, 0));
        const found = ops.tidy(() => {
          const shape = f(ops, ...tensors()).shape;
          return ops
            .gradients((...xs) => f(ops, ...xs), tensors(), ops.fromHost(weights, shape))
            .map((gradient) => ops.toHost(gradient));
        });
        expect(ops.numTensors()).to.equal(before);
        inputs.forEach((x, i) => {
          x.forEach((kept, j) => {
            const step = 1e-2;
            x[j] = kept + step;
            const above = value();
            x[j] = kept - step;
            const slope = (above - value()) / (2 * step);
            x[j] = kept;
            expect(found[i]![j], `input ${i}, entry ${j}`).to.be.closeTo(slope, 5e-3 * (1 + Math.abs(slope)));
          });
        });
      });
    }
  });
}
