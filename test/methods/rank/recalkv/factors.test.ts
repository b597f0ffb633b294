import { expect } from 'chai';
import fc from 'fast-check';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { calibrateOnce } from '../../../../src/methods/rank/recalkv/calibration.js';
import { headRows, toFloat32, toMatrix } from '../../../../src/methods/rank/recalkv/matrices.js';
import { whitenedSvd, type Factors } from '../../../../src/methods/rank/recalkv/svd.js';
import { whiteningRoot } from '../../../../src/methods/rank/recalkv/whitening.js';
import { errorOf, maxDifference, noise, rebuild, someMatrix } from './support.js';

const E = 24;
const O = 16;
const next = noise('factors');
const weight = someMatrix(O, E, next);
const gramOf = (x: Matrix) => x.transpose().mmul(x);
const gram = gramOf(someMatrix(60, E, next));
const other = gramOf(someMatrix(60, E, next));
const whole = (c: Matrix) => errorOf(weight, Matrix.zeros(O, E), c);
const product = ({ down, up }: Factors) => down.mmul(up).transpose(); // [O, E]

describe('ReCalKV whitened SVD', () => {
  for (const whitening of ['svd', 'cholesky'] as const) {
    it(`equals the truncated SVD of W S, times S⁻¹ (${whitening})`, () => {
      const root = whiteningRoot(gram, whitening);
      const {
        leftSingularVectors: U,
        rightSingularVectors: V,
        diagonal,
      } = new SingularValueDecomposition(weight.mmul(root), { autoTranspose: true });
      for (const rank of [1, 7, O]) {
        const left = U.subMatrix(0, O - 1, 0, rank - 1).mulRowVector(diagonal.slice(0, rank)); // [O, r]
        const right = V.subMatrix(0, E - 1, 0, rank - 1).transpose(); // [r, E]
        // (left · right · S⁻¹) S = left · right
        const found = product(whitenedSvd(weight, gram, rank)).mmul(root);
        expect(maxDifference(found, left.mmul(right))).to.be.below(1e-10);
      }
    });
  }

  it('stays as exact where the singular values span seven orders of magnitude', () => {
    const steep = weight.clone();
    for (let row = 0; row < O; row++) steep.mulRow(row, 10 ** (-row / 2));
    const { diagonal } = new SingularValueDecomposition(steep.mmul(whiteningRoot(gram, 'cholesky')), {
      autoTranspose: true,
    });
    expect(diagonal[0]! / diagonal[O - 1]!).to.be.above(1e7);
    for (let rank = 1; rank < O; rank++) {
      const left = Math.hypot(...diagonal.slice(rank));
      const error = errorOf(steep, product(whitenedSvd(steep, gram, rank)), gram);
      expect(error / diagonal[0]!).to.be.closeTo(left / diagonal[0]!, 1e-8);
    }
  });

  it('splits the singular values evenly between the factors', () => {
    const { down, up } = whitenedSvd(weight, gram, 5);
    const upSquares = up.mmul(up.transpose());
    const latentSquares = down.transpose().mmul(gram).mmul(down);
    expect(maxDifference(upSquares, latentSquares)).to.be.below(1e-9);
  });

  it('rebuilds W at full rank, also where the activations say nothing of it', () => {
    const thin = someMatrix(3, E);
    for (const c of [gram, gramOf(thin), Matrix.zeros(E, E)]) {
      expect(maxDifference(product(whitenedSvd(weight, c, O)), weight)).to.be.below(1e-7);
    }
    const tall = someMatrix(40, E);
    expect(maxDifference(product(whitenedSvd(tall, gram, 40)), tall)).to.be.below(1e-7);
  });

  it('is the minimiser: no other factors of that rank come closer', () => {
    for (const rank of [2, 9]) {
      const factors = whitenedSvd(weight, gram, rank);
      const least = errorOf(weight, product(factors), gram);
      fc.assert(
        fc.property(fc.string(), fc.double({ min: 1e-4, max: 0.1, noNaN: true }), (seed, size) => {
          const step = noise(seed);
          const moved = (m: Matrix) => someMatrix(m.rows, m.columns, step).mul(size).add(m);
          const { down, up } = factors;
          expect(errorOf(weight, product({ down: moved(down), up: moved(up) }), gram)).to.be.at.least(
            least - 1e-9,
          );
        }),
        { numRuns: 30 },
      );
    }
  });

  it('undoes any order of the heads', () => {
    const D = 4;
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        fc.integer({ min: 1, max: 3 }),
        (heads, cut) => {
          const groups = [heads.slice(0, cut), heads.slice(cut)].map((members) => {
            const { down, up } = whitenedSvd(headRows(weight, members, D), gram, members.length * D);
            return { heads: members, rank: up.rows, down: toFloat32(down), up: toFloat32(up) };
          });
          expect(maxDifference(rebuild(groups, D), weight)).to.be.below(1e-5);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('refuses a rank that the projection does not have', () => {
    for (const rank of [0, O + 1, 2.5])
      expect(() => whitenedSvd(weight, gram, rank)).to.throw(`rank ${rank}`);
  });
});

describe('ReCalKV value calibration', () => {
  const start = whitenedSvd(weight, gram, 6);

  it('changes nothing on the activations of the whitening', () => {
    const calibrated = calibrateOnce(start, weight, gram);
    expect(maxDifference(product(calibrated), product(start))).to.be.below(1e-9);
  });

  it('comes closer on other activations with each alternation, and never passes their own minimiser', () => {
    const least = errorOf(weight, product(whitenedSvd(weight, other, 6)), other);
    const errors = [start];
    for (let i = 0; i < 4; i++) errors.push(calibrateOnce(errors.at(-1)!, weight, other));
    const measured = errors.map((factors) => errorOf(weight, product(factors), other));
    expect(measured[1]!).to.be.below(measured[0]! * 0.99);
    for (let i = 1; i < measured.length; i++) {
      expect(measured[i]!).to.be.at.most(measured[i - 1]! + 1e-9);
      expect(measured[i]!).to.be.at.least(least - 1e-9);
    }
  });

  it('solves both least-squares problems: a small step in either factor does not come closer', () => {
    const { down, up } = calibrateOnce(start, weight, other);
    const step = (m: Matrix) => someMatrix(m.rows, m.columns).mul(1e-3);
    const afterUp = errorOf(weight, product({ down: start.down, up }), other);
    const afterDown = errorOf(weight, product({ down, up }), other);
    expect(errorOf(weight, product({ down: start.down, up: step(up).add(up) }), other)).to.be.above(afterUp);
    expect(errorOf(weight, product({ down: step(down).add(down), up }), other)).to.be.above(afterDown);
  });

  it('stays finite where there are fewer activations than latent channels', () => {
    const few = gramOf(someMatrix(3, E));
    const calibrated = calibrateOnce(start, weight, few);
    expect(errorOf(weight, product(calibrated), few)).to.be.at.most(
      errorOf(weight, product(start), few) + 1e-6,
    );
    expect(product(calibrated).to1DArray().every(Number.isFinite)).to.equal(true);
  });

  it('comes closer on few activations whose products are rounded to float32', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 9 }), (seed, count) => {
        const step = noise(seed);
        const rounded = () => {
          const x = someMatrix(count, E, step).mulColumn(0, 100); // a channel of outliers
          return toMatrix(Float32Array.from(gramOf(x).to1DArray()), E);
        };
        const whitening = rounded();
        const few = rounded();
        const error = ({ down, up }: Factors) => errorOf(weight, product({ down, up }), few);
        const errors = [whitenedSvd(weight, whitening, 10)];
        for (let i = 0; i < 3; i++) errors.push(calibrateOnce(errors.at(-1)!, weight, few));
        const [before, ...after] = errors.map(error);
        for (const left of after) expect(left / whole(few)).to.be.at.most(before! / whole(few) + 1e-3);
      }),
      { numRuns: 50 },
    );
  });
});
