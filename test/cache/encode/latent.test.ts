/** Latents in the cache: what they decode to, what attention over them gives, what is counted and given back. */
import { expect } from 'chai';
import fc from 'fast-check';
import { encodeLayer } from '../../../src/cache/layer-cache.js';
import { referenceAttention } from '../../../src/cache/reference-attention.js';
import type { CacheDtype, LatentGroup, LayerPlan, LayerTrace, Precision } from '../../../src/cache/types.js';
import { openKernels } from '../../../src/kernels/index.js';
import { ropeTable, rotateHeads } from '../../../src/model/rope.js';
import { makeTrace, randomFrom, randomNumbers } from '../support.js';

const kernels = openKernels();

interface Shape {
  readonly kvHeads: number;
  readonly group: number;
  readonly headDim: number;
  readonly length: number;
}

/** A layer whose keys and values are what its latents give, keys rotated. */
function latentTrace(
  shape: Shape,
  groups: { keys: readonly number[][]; values: readonly number[][] },
  rank: number,
  bias: boolean,
  random: () => number,
): LayerTrace {
  const { headDim: D, length: S } = shape;
  const frequencies = Float32Array.from({ length: D / 2 }, (_, j) => 100 ** (-j / (D / 2)));
  const trace = makeTrace({ ...shape, heads: shape.group * shape.kvHeads }, random);
  const table = ropeTable({ frequencies, factor: 1, pairing: 'half' }, 0, S);
  const build = (side: 'keys' | 'values'): LatentGroup[] =>
    groups[side].map((heads) => {
      const group = {
        heads,
        rank,
        latent: randomNumbers(S * rank, random),
        up: randomNumbers(rank * heads.length * D, random),
        bias: bias ? randomNumbers(heads.length * D, random) : undefined,
      };
      heads.forEach((head, g) => {
        for (let t = 0; t < S; t++) {
          const at = (head * S + t) * D;
          for (let j = 0; j < D; j++) {
            let sum = group.bias?.[g * D + j] ?? 0;
            for (let k = 0; k < rank; k++) {
              sum += group.latent[t * rank + k]! * group.up[(k * heads.length + g) * D + j]!;
            }
            trace[side][at + j] = sum;
          }
          if (side === 'keys') rotateHeads(trace.keys, at, 1, D, table, t);
        }
      });
      return group;
    });
  return {
    ...trace,
    lowRank: { keys: build('keys'), values: build('values'), ropeFrequencies: frequencies },
  };
}

function latentPlan(tokens: readonly Int32Array[], precision?: Precision): LayerPlan {
  return { tokens, keys: { codec: 'latent', precision }, values: { codec: 'latent', precision } };
}

function all(length: number): Int32Array {
  return Int32Array.from({ length }, (_, t) => t);
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).to.equal(b.length);
  return Array.from(a, (x, i) => Math.abs(x - b[i]!)).reduce((worst, d) => Math.max(worst, d), 0);
}

const shapes = fc.record({
  seed: fc.nat(),
  dtype: fc.constantFrom<CacheDtype>('bfloat16', 'float32'),
  headDim: fc.constantFrom(8, 40, 64),
  /** Share of tokens that stays. */
  kept: fc.constantFrom(0, 0.3, 1),
  length: fc.constantFrom(1, 7, 150),
  rank: fc.constantFrom(1, 5, 300),
  bias: fc.boolean(),
  precision: fc.constantFrom<Precision | undefined>(
    undefined,
    { bits: 8, along: 'token', group: 16, residual: 0, settle: 'sliding' },
    { bits: 4, along: 'token', group: 32, residual: 5, settle: 'sliding' },
  ),
});

describe('encodeLatent', () => {
  it('attends as its plain reading does, and gives all memory back', () => {
    fc.assert(
      fc.property(shapes, ({ seed, dtype, kept, rank, bias, precision, ...rest }) => {
        const random = randomFrom(seed);
        const shape = { ...rest, kvHeads: 4, group: 2 };
        const trace = latentTrace(
          shape,
          {
            keys: [
              [2, 0],
              [1, 3],
            ],
            values: [[0, 1, 2, 3]],
          },
          rank,
          bias,
          random,
        );
        const tokens = Array.from({ length: 4 }, () => all(shape.length).filter(() => random() < kept));
        const before = kernels.memory.bytesInUse;
        const cache = encodeLayer(trace, latentPlan(tokens, precision), dtype, kernels);
        const size = shape.headDim * 3;
        const queries = randomNumbers(size * 8, random);
        cache.append(randomNumbers(size * 4, random), randomNumbers(size * 4, random), 3);
        const out = new Float32Array(queries.length);
        cache.attend(queries, 3, out);
        const reference = referenceAttention(cache, trace, queries, 3);
        const scale = 1 + reference.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        expect(largestDifference(out, reference) / scale).to.be.below(2e-3);
        cache.free();
        expect(kernels.memory.bytesInUse).to.equal(before);
      }),
      { numRuns: 60 },
    );
  });

  for (const kept of [0.4, 1]) {
    it(`rebuilds the keys and values of the trace where ${100 * kept} % of the tokens stay`, () => {
      const random = randomFrom(7);
      const shape = { kvHeads: 3, group: 1, headDim: 16, length: 40 };
      const trace = latentTrace(shape, { keys: [[1], [2, 0]], values: [[0, 1, 2]] }, 6, true, random);
      const tokens = Array.from({ length: 3 }, () => all(40).filter(() => random() < kept));
      const cache = encodeLayer(trace, latentPlan(tokens), 'float32', kernels);
      const decoded = cache.decode();
      for (const side of ['keys', 'values'] as const) {
        tokens.forEach((positions, head) => {
          const expected = [...positions].flatMap((t) => [
            ...trace[side].subarray((head * 40 + t) * 16, (head * 40 + t + 1) * 16),
          ]);
          expect(largestDifference(decoded[side][head]!, expected)).to.be.below(1e-5);
        });
      }
      cache.free();
    });
  }

  it('counts latents once per group, and positions only where tokens went', () => {
    const random = randomFrom(3);
    const shape = { kvHeads: 2, group: 1, headDim: 8, length: 10 };
    const trace = latentTrace(shape, { keys: [[0, 1]], values: [[0], [1]] }, 4, false, random);
    const bytesOf = (tokens: readonly Int32Array[], precision?: Precision) => {
      const cache = encodeLayer(trace, latentPlan(tokens, precision), 'bfloat16', kernels);
      const { latent, index, value, scale } = cache.bytes();
      cache.free();
      return { latent, index, value, scale };
    };
    expect(bytesOf([all(10), all(10)])).to.deep.equal({
      latent: 2 * 4 * (10 + 10 + 10),
      index: 0,
      value: 0,
      scale: 0,
    });
    // Keys: the union 2 … 9 and its positions, and which of them the heads have; values need no position.
    expect(bytesOf([all(10).subarray(2, 6), all(10).subarray(5)])).to.deep.equal({
      latent: 2 * 4 * (8 + 4 + 5),
      index: 4 * (8 + 4 + 5),
      value: 0,
      scale: 0,
    });
    const coded = { bits: 4, along: 'token', group: 32, residual: 3, settle: 'sliding' } as const;
    expect(bytesOf([all(10), all(10)], coded)).to.deep.equal({
      latent: 3 * (7 * 2 + 3 * 2 * 4),
      index: 0,
      value: 0,
      scale: 3 * 7 * 2 * 2,
    });
  });

  it('has up-projections and angles once, whatever the number of caches', () => {
    const random = randomFrom(5);
    const shape = { kvHeads: 2, group: 1, headDim: 64, length: 4 };
    const trace = latentTrace(shape, { keys: [[0, 1]], values: [[0, 1]] }, 64, false, random);
    const plan = latentPlan([all(4), all(4)]);
    const before = kernels.memory.bytesInUse;
    const first = encodeLayer(trace, plan, 'bfloat16', kernels);
    const one = kernels.memory.bytesInUse - before;
    const second = encodeLayer(trace, plan, 'bfloat16', kernels);
    expect(kernels.memory.bytesInUse - before - one).to.be.below(0.1 * one);
    first.free();
    expect(second.decode().keys[0]).to.have.length(4 * 64);
    second.free();
    expect(kernels.memory.bytesInUse).to.equal(before);
  });

  it('refuses a trace without latents, and leaves nothing behind', () => {
    const trace = makeTrace({ heads: 2, kvHeads: 1, headDim: 8, length: 3 }, randomFrom(1));
    const before = kernels.memory.bytesInUse;
    expect(() => encodeLayer(trace, latentPlan([all(3)]), 'bfloat16', kernels)).to.throw('no latents');
    expect(kernels.memory.bytesInUse).to.equal(before);
  });
});
