import { expect } from 'chai';
import fc from 'fast-check';
import { Matrix } from 'ml-matrix';
import { groupCount, groupHeads } from '../../../../src/methods/rank/recalkv/grouping.js';
import { UserError } from '../../../../src/base/errors.js';
import { golden, noise } from './support.js';

const matrixOf = (rows: readonly (readonly number[])[]) => new Matrix(rows.map((row) => [...row]));

describe('ReCalKV head grouping', () => {
  golden.grouping.cases.forEach((example, i) => {
    for (const grouping of ['released', 'strict'] as const) {
      it(`golden case ${i}: ${example.heads} heads in ${example.groups} groups, ${grouping}`, () => {
        expect(groupHeads(matrixOf(example.cka), example.groups, grouping)).to.deep.equal(example[grouping]);
      });
    }
  });

  it('agrees with the released code on the golden similarities', () => {
    const { tensor_level: cases } = golden;
    expect(groupHeads(matrixOf(cases.cka_svd), 2, 'released')).to.deep.equal(cases.groups_svd);
    expect(groupHeads(matrixOf(cases.cka_svd), 2, 'strict')).to.deep.equal(cases.groups_strict_svd);
    expect(groupHeads(matrixOf(cases.cka_cholesky), 2, 'released')).to.deep.equal(cases.groups_cholesky);
    expect(groupHeads(matrixOf(cases.cka_cholesky), 2, 'strict')).to.deep.equal(cases.groups_strict_cholesky);
  });

  it('puts every head into exactly one group of the right size', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(sizes, fc.string(), ([groups, size], seed) => {
        const next = noise(seed);
        const KV = groups * size;
        const similarity = Matrix.eye(KV, KV);
        for (let a = 0; a < KV; a++) {
          for (let b = 0; b < a; b++) {
            const value = Math.abs(next());
            similarity.set(a, b, value).set(b, a, value);
          }
        }
        for (const grouping of ['released', 'strict'] as const) {
          const found = groupHeads(similarity, groups, grouping);
          expect(found.map((group) => group.length)).to.deep.equal(Array(groups).fill(size));
          expect(found.flat().sort((a, b) => a - b)).to.deep.equal(Array.from({ length: KV }, (_, i) => i));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('counts the groups and says so where they do not come out even', () => {
    expect(groupCount(8, 4)).to.equal(2);
    expect(() => groupCount(3, 4)).to.throw(UserError, "groups of 4 do not divide the model's 3 KV heads");
  });
});
