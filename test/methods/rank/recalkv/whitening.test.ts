import { expect } from 'chai';
import { Matrix } from 'ml-matrix';
import { toMatrix } from '../../../../src/methods/rank/recalkv/matrices.js';
import { headSimilarity } from '../../../../src/methods/rank/recalkv/similarity.js';
import { whiteningRoot } from '../../../../src/methods/rank/recalkv/whitening.js';
import { golden, gramOf, maxDifference, someMatrix, tensor } from './support.js';

const { kv_heads: KV, head_dim: D, width: E, ...cases } = golden.tensor_level;

describe('ReCalKV whitening', () => {
  const gram = gramOf(tensor('tensor.X_whiten'), E);

  it('gives the Cholesky factor of the golden case', () => {
    const expected = toMatrix(tensor('tensor.S_cholesky'), E);
    expect(maxDifference(whiteningRoot(gram, 'cholesky'), expected)).to.be.below(1e-3);
  });

  it('gives the released root up to the signs of its columns', () => {
    const expected = toMatrix(tensor('tensor.S_svd'), E).abs();
    expect(maxDifference(whiteningRoot(gram, 'svd').abs(), expected)).to.be.below(2e-3);
  });

  for (const whitening of ['svd', 'cholesky'] as const) {
    it(`S Sᵀ = C, also where C is singular (${whitening})`, () => {
      const x = someMatrix(5, 12);
      const singular = x.transpose().mmul(x);
      for (const c of [gram, singular]) {
        const root = whiteningRoot(c, whitening);
        expect(maxDifference(root.mmul(root.transpose()), c)).to.be.below(1e-8 * c.max());
      }
    });
  }

  it('refuses a matrix that is no Gram matrix', () => {
    expect(() => whiteningRoot(new Matrix([[-1]]), 'cholesky')).to.throw('not positive semidefinite');
    expect(() => whiteningRoot(new Matrix([[NaN]]), 'cholesky')).to.throw();
  });
});

describe('ReCalKV head similarity', () => {
  const weight = toMatrix(tensor('tensor.Wk'), E);

  for (const whitening of ['cholesky', 'svd'] as const) {
    it(`agrees with the released CKA on the given S (${whitening})`, () => {
      const similarity = headSimilarity(weight, toMatrix(tensor(`tensor.S_${whitening}`), E), KV);
      const expected = new Matrix(cases[`cka_${whitening}`].map((row) => [...row]));
      expect(maxDifference(similarity, expected)).to.be.below(1e-5);
    });
  }

  it('agrees with its definition by HSIC', () => {
    const heads = 3;
    const small = someMatrix(heads * 4, 10);
    const root = someMatrix(10, 10);
    const similarity = headSimilarity(small, root, heads);
    const whitened = small.mmul(root);
    const centring = Matrix.eye(10, 10).sub(Matrix.ones(10, 10).div(10));
    const kernels = Array.from({ length: heads }, (_, a) => {
      const slice = whitened.subMatrix(a * 4, a * 4 + 3, 0, 9);
      return slice.transpose().mmul(slice); // [E, E]
    });
    const hsic = (a: number, b: number) =>
      kernels[a]!.mmul(centring).mmul(kernels[b]!).mmul(centring).trace() / 81;
    for (let a = 0; a < heads; a++) {
      for (let b = 0; b < heads; b++) {
        const expected = hsic(a, b) / Math.sqrt(hsic(a, a) * hsic(b, b));
        expect(similarity.get(a, b)).to.be.closeTo(expected, 1e-12);
      }
    }
  });

  it('is blind to scale and 0 for a head without weights', () => {
    const small = someMatrix(8, 10);
    const scaled = small.clone();
    for (let row = 4; row < 8; row++) scaled.setRow(row, small.getRowVector(row - 4).mul(-7));
    expect(headSimilarity(scaled, Matrix.eye(10, 10), 2).get(0, 1)).to.be.closeTo(1, 1e-12);
    for (let row = 4; row < 8; row++) scaled.setRow(row, new Array<number>(10).fill(0));
    expect(headSimilarity(scaled, Matrix.eye(10, 10), 2).get(0, 1)).to.equal(0);
  });

  it('has as many rows as heads', () => {
    expect(headSimilarity(weight, Matrix.eye(E, E), KV).rows).to.equal(weight.rows / D);
  });
});
