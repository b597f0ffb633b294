import { expect } from 'chai';
import { ropeFrequencies } from '../../src/checkpoint/rope-frequencies.js';
import { ropeTable, rotateHeads } from '../../src/model/rope.js';
import type { ModelConfig } from '../../src/checkpoint/types.js';

const config: ModelConfig = {
  architecture: 'llama',
  layers: 1,
  hidden: 16,
  heads: 2,
  kvHeads: 1,
  headDim: 8,
  intermediate: 8,
  vocabulary: 10,
  normEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: undefined,
  tiedHead: true,
  qkvBias: false,
  qkNorm: false,
  maxPositions: 64,
  eosIds: [],
  bosId: undefined,
};

describe('rope', () => {
  it('gives theta^(-2j/D)', () => {
    const frequencies = ropeFrequencies(config);
    expect([...frequencies].map((f) => Math.log10(f))).to.satisfy((logs: number[]) =>
      logs.every((log, j) => Math.abs(log + j) < 1e-6),
    );
  });

  it('llama3 scaling keeps the fast channels, divides the slow ones by the factor, and blends between', () => {
    const scaled = ropeFrequencies({
      ...config,
      ropeScaling: {
        kind: 'llama3',
        factor: 8,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositions: 128,
      },
    });
    const plain = ropeFrequencies(config);
    expect(scaled[0]).to.equal(plain[0]);
    expect(scaled[3]! / plain[3]!).to.be.closeTo(1 / 8, 1e-6);
    expect(scaled[1]! / plain[1]!).to.be.within(1 / 8, 1);
  });

  it('turns each half-split pair by position × frequency', () => {
    const table = ropeTable(Float32Array.of(0.5, 0.25), 3, 2);
    const x = Float32Array.of(1, 0, 0, 1);
    rotateHeads(x, 0, 1, table, 1);
    expect(x[0]).to.be.closeTo(Math.cos(2), 1e-6);
    expect(x[2]).to.be.closeTo(Math.sin(2), 1e-6);
    expect(x[1]).to.be.closeTo(-Math.sin(1), 1e-6);
    expect(x[3]).to.be.closeTo(Math.cos(1), 1e-6);
  });

  it('makes the dot product depend on the distance alone', () => {
    const frequencies = ropeFrequencies(config);
    const dotAt = (a: number, b: number): number => {
      const q = Float32Array.from({ length: 8 }, (_, i) => Math.sin(i + 1));
      const k = Float32Array.from({ length: 8 }, (_, i) => Math.cos(3 * i));
      rotateHeads(q, 0, 1, ropeTable(frequencies, a, 1), 0);
      rotateHeads(k, 0, 1, ropeTable(frequencies, b, 1), 0);
      return q.reduce((total, value, i) => total + value * k[i]!, 0);
    };
    expect(dotAt(10, 4)).to.be.closeTo(dotAt(46, 40), 1e-5);
  });
});
